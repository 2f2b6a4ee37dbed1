import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from "fastify";

type PostRoute = {
  /** Below the prefix of the scope. */
  readonly url: string;
  /** Before the body is read. Throws to refuse. */
  readonly check: (request: FastifyRequest) => void;
  readonly handler: RouteHandlerMethod;
  /** Sends the body of an answer to another method; status and Allow are set. */
  readonly refuse: (reply: FastifyReply, message: string) => void;
};

/** A route that says what it takes when it is asked with another method. */
export function postOnly(scope: FastifyInstance, { url, check, handler, refuse }: PostRoute): void {
  scope.post(url, { onRequest: async (request) => check(request) }, handler);
  scope.route({
    method: ["GET", "PUT", "PATCH", "DELETE"],
    url,
    handler: (request, reply) => {
      reply.code(405).header("allow", "POST");
      refuse(reply, `${request.method} is not served at ${request.routeOptions.url}: use POST`);
    },
  });
}
