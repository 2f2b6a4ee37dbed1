import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export type FakeAnswer = { readonly status?: number; readonly body?: unknown; readonly hangUp?: boolean };
export type SeenRequest = {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly auth: string;
};

/** Answers as a node would in states that a real one is hard to bring into: full queues, broken connections. */
export class FakeCluster {
  readonly seen: SeenRequest[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(
    answer: (request: SeenRequest, count: number) => FakeAnswer | Promise<FakeAnswer>,
  ): Promise<FakeCluster> {
    const server = createServer();
    const cluster = new FakeCluster(server);
    server.on("request", async (request, response) => {
      const seen = {
        method: request.method ?? "",
        path: request.url ?? "",
        body: await bodyOf(request),
        auth: request.headers.authorization ?? "",
      };
      cluster.seen.push(seen);
      const { status = 200, body = {}, hangUp = false } = await answer(seen, cluster.seen.length);
      if (hangUp) return request.socket.destroy();
      return response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return cluster;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += chunk;
  return body;
}
