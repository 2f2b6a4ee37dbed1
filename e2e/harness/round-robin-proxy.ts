import {
  Agent,
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  request as send,
} from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

/** Before several servers that are alike: each request, and each WebSocket, goes to the next of them that is there. */
export class RoundRobinProxy {
  readonly url: string;
  readonly #backends: readonly (() => string)[];
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: false });
  readonly #sockets = new Set<Socket | Duplex>();
  #next = 0;

  private constructor(server: Server, backends: readonly (() => string)[]) {
    this.#server = server;
    this.#backends = backends;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** `backends` are asked for their URL each time: it may change. */
  static async start(backends: readonly (() => string)[]): Promise<RoundRobinProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = new RoundRobinProxy(server, backends);
    server.on("request", (request, response) => void proxy.#forward(request, response));
    server.on("upgrade", (request, socket, head) => proxy.#tunnel(request, socket, head));
    return proxy;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #backend(number: number): URL {
    return new URL((this.#backends[number % this.#backends.length] as () => string)());
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    this.#try(request, Buffer.concat(chunks), response, this.#next++, this.#backends.length);
  }

  /** What was not listened to goes to the next; what broke off in between is the client's to judge. */
  #try(request: IncomingMessage, body: Buffer, response: ServerResponse, backend: number, tries: number): void {
    const { method, url, headers } = request;
    const { hostname, port } = this.#backend(backend);
    const under = send({ agent: this.#agent, hostname, port, method, path: url, headers });
    under.once("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
      answer.once("error", () => response.destroy());
    });
    under.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" && tries > 1) this.#try(request, body, response, backend + 1, tries - 1);
      else if (error.code === "ECONNREFUSED") response.writeHead(503).end();
      else response.destroy();
    });
    under.end(body);
  }

  #tunnel(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { hostname, port } = this.#backend(this.#next++);
    const backend = connect(Number(port), hostname, () => {
      const lines = request.rawHeaders.flatMap((text, i, all) => (i % 2 === 0 ? [`${text}: ${all[i + 1]}`] : []));
      backend.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      backend.write(head);
      backend.pipe(socket).pipe(backend);
    });
    for (const [one, other] of [
      [backend, socket],
      [socket, backend],
    ] as const) {
      this.#sockets.add(one);
      one.once("error", () => other.destroy());
      one.once("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
