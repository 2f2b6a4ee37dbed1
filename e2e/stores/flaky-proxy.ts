import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export type ProxyMode = "open" | "closed" | "bulks are not answered";

/** Stands before a server and loses what it is told to lose. */
export class FlakyProxy {
  mode: ProxyMode;
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server, mode: ProxyMode) {
    this.#server = server;
    this.mode = mode;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(target: string, mode: ProxyMode): Promise<FlakyProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = new FlakyProxy(server, mode);
    server.on("request", async (request, response) => {
      if (proxy.mode === "closed") return request.socket.destroy();
      const { status, text } = await forward(request, target);
      if (proxy.mode === "bulks are not answered" && request.url?.startsWith("/_bulk")) return request.socket.destroy();
      return response.writeHead(status, { "content-type": "application/json" }).end(text);
    });
    return proxy;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

async function forward(request: IncomingMessage, target: string): Promise<{ status: number; text: string }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const answer = await fetch(target + request.url, {
    method: request.method ?? "GET",
    headers: { "content-type": request.headers["content-type"] ?? "application/json" },
    ...(body.length > 0 && { body }),
  });
  return { status: answer.status, text: await answer.text() };
}
