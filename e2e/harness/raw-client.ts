import { once } from "node:events";
import { connect, type Socket } from "node:net";

export type RawAnswer = { readonly status: number; readonly closes: boolean; readonly body: string };
/** What came of a request: an answer; or none, because the server `ended` the connection in good order or `reset` it. */
export type RawOutcome = RawAnswer | "ended" | "reset";

/** One keep-alive connection, whose end is seen as the system sees it: Node's own client calls each of them a reset. */
export class RawClient {
  readonly #socket: Socket;
  #text = "";
  #end: "ended" | "reset" | undefined;
  #wake = (): void => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    const finish = (end: "ended" | "reset") => {
      this.#end ??= end;
      this.#wake();
    };
    socket.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString("latin1");
      this.#wake();
    });
    socket.on("end", () => finish("ended"));
    // EPIPE: written after the end had come, before it was read.
    socket.on("error", (error: NodeJS.ErrnoException) => finish(error.code === "EPIPE" ? "ended" : "reset"));
    socket.on("close", () => finish("reset"));
  }

  static async open(url: string): Promise<RawClient> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    return new RawClient(socket);
  }

  write(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  async post(path: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<RawOutcome> {
    const lines = Object.entries({ host: "x", "content-length": String(body.length), ...headers });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    this.write(Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${head}\r\n`), body]));
    return this.answer();
  }

  /** The next answer. One that came whole counts, whatever becomes of the connection. */
  async answer(): Promise<RawOutcome> {
    for (;;) {
      const answer = this.#take();
      if (answer) return answer;
      if (this.#end) return this.#end;
      await this.#more();
    }
  }

  /** Settles when the server has ended or reset the connection. */
  async end(): Promise<"ended" | "reset"> {
    while (!this.#end) await this.#more();
    return this.#end;
  }

  close(): void {
    this.#socket.destroy();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #take(): RawAnswer | undefined {
    const headEnd = this.#text.indexOf("\r\n\r\n");
    if (headEnd < 0) return undefined;
    const head = this.#text.slice(0, headEnd);
    const bodyEnd = headEnd + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#text.length < bodyEnd) return undefined;
    const body = this.#text.slice(headEnd + 4, bodyEnd);
    this.#text = this.#text.slice(bodyEnd);
    return { status: Number(head.split(" ")[1]), closes: /\r\nconnection: close/i.test(head), body };
  }
}
