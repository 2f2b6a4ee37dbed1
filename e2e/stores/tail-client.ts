/** Tails logs over Loki's WebSocket, and remembers what came, in order, as often as it came. */
export class TailClient {
  readonly lines: string[] = [];
  /** When each came, by `Date.now`. */
  readonly timesMs: number[] = [];
  /** Of lines that the server says it has left out. */
  dropped = 0;
  readonly #socket: WebSocket;
  #closedFor: string | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#take(JSON.parse(String(data))));
    socket.addEventListener("close", ({ code, reason }) => {
      this.#closedFor = `${code} ${reason}`;
    });
  }

  /** Settles once it is open. Lines that were there before are not asked for. */
  static async open(url: string, query: string): Promise<TailClient> {
    const start = String(BigInt(Date.now()) * 1_000_000n);
    const parameters = new URLSearchParams({ query, start, limit: "1000" });
    const socket = new WebSocket(`${url.replace("http", "ws")}/loki/api/v1/tail?${parameters}`);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve(), { once: true });
      socket.addEventListener("error", () => reject(new Error(`no tail at ${url}`)), { once: true });
    });
    return new TailClient(socket);
  }

  /** Undefined while it is open. */
  get closedFor(): string | undefined {
    return this.#closedFor;
  }

  close(): void {
    this.#socket.close();
  }

  #take(message: { streams: { values: [string, string][] }[]; dropped_entries?: unknown[] }): void {
    this.dropped += message.dropped_entries?.length ?? 0;
    for (const { values } of message.streams) {
      for (const [, line] of values) {
        this.lines.push(line);
        this.timesMs.push(Date.now());
      }
    }
  }
}
