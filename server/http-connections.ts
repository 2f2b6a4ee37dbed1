import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

type State = {
  /** Requests whose head has come and whose answer has not gone. */
  underWay: number;
  /** Where the last request that was answered ended. */
  readBytes: number;
};

/** The open connections of an HTTP server, those of WebSockets left out, and what is being answered on them. */
export class HttpConnections {
  readonly #states = new Map<Socket, State>();
  #accepted = 0;
  #underWay = 0;
  #lastRequestMs = Number.NEGATIVE_INFINITY;

  watch(server: Server, event: "connection" | "secureConnection"): void {
    server.on(event, (socket: Socket) => {
      this.#accepted++;
      this.#states.set(socket, { underWay: 0, readBytes: 0 });
      socket.once("close", () => this.#states.delete(socket));
    });
  }

  /** That have ever been opened. */
  get accepted(): number {
    return this.#accepted;
  }

  get open(): number {
    return this.#states.size;
  }

  /** Requests whose head has come and whose answer has not gone. */
  get underWay(): number {
    return this.#underWay;
  }

  /** When the head of the last request came, by `performance.now()`. */
  get lastRequestMs(): number {
    return this.#lastRequestMs;
  }

  /** To be called with each request as soon as its head has come. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    this.#lastRequestMs = performance.now();
    // A WebSocket is closed by whoever opened it; its answer never ends.
    if (request.headers.upgrade?.toLowerCase() === "websocket") {
      this.#states.delete(socket);
      return;
    }
    const state = this.#states.get(socket);
    this.#underWay++;
    if (state) state.underWay++;
    response.once("close", () => {
      this.#underWay--;
      if (!state) return;
      state.underWay--;
      state.readBytes = socket.bytesRead;
    });
  }

  /**
   * Ends our side of each connection on which nothing is asked, and goes on reading: closed with a request on its way it
   * would be reset, where its client now sees that it was ended, as any server does with connections that do nothing.
   */
  endIdle(): void {
    for (const [socket, { underWay, readBytes }] of this.#states) {
      // More was read than what has been answered: the head of a request has come in part.
      if (underWay === 0 && socket.bytesRead === readBytes && socket.writable) socket.end();
    }
  }
}
