import type { Authenticator } from "@sightline/model/access.ts";
import { InvalidInputError } from "@sightline/model/errors.ts";
import type { FastifyInstance } from "fastify";
import type { TenantAlertmanagers } from "../tenant-alertmanagers.ts";

export type AlertmanagerOperationsDeps = {
  readonly alertmanagers: TenantAlertmanagers;
  readonly authenticator: Authenticator;
};

/** `/-/healthy`, `/-/ready` and `/-/reload` below `prefix`, as Alertmanager answers them. */
export function registerAlertmanagerOperations(
  app: FastifyInstance,
  prefix: string,
  { alertmanagers, authenticator }: AlertmanagerOperationsDeps,
): void {
  for (const path of ["/-/healthy", "/-/ready"]) {
    app.get(`${prefix}${path}`, async (_request, reply) => reply.type("text/plain; charset=utf-8").send("OK\n"));
  }
  app.register(async (scope) => {
    // `curl -X POST` may send a form without anything in it.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, payload, done) => {
      payload.resume();
      done(null);
    });
    scope.post(`${prefix}/-/reload`, async (request, reply) => {
      authenticator.authenticate(request.headers, "admin", { peer: request.ip });
      try {
        await alertmanagers.reload();
      } catch (error) {
        if (!(error instanceof InvalidInputError)) throw error;
        return reply.code(500).type("text/plain").send(`failed to reload config: ${error.message}\n`);
      }
      return reply.send();
    });
  });
}
