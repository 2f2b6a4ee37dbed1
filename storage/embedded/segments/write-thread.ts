import type { DuckDatabaseOptions } from "./duck-database.ts";
import { buffersOf } from "./packed-column.ts";
import type { WriteAnswer, WriteRequest } from "./write-protocol.ts";
import { WriteWorker } from "./write-worker.ts";

type Waiting = { readonly resolve: (answer: WriteAnswer) => void; readonly reject: (error: Error) => void };

/**
 * A thread with a DuckDB of its own that makes segment files of packed columns: appending to DuckDB takes longer than
 * decoding what is appended, and can't be interrupted. Starts with its first request; when it dies, what it was asked is
 * rejected and the next request starts another.
 */
export class WriteThread {
  readonly #options: DuckDatabaseOptions;
  #worker: WriteWorker | undefined;
  #waiting: Waiting[] = [];
  #stagedBytes = 0;

  constructor(options: DuckDatabaseOptions) {
    this.#options = options;
  }

  /** What it was given for the segment it is writing; DuckDB holds about as much. */
  get memoryBytes(): number {
    return this.#stagedBytes;
  }

  /** Settles when it is done. Requests are handled in the order they are made. The memory of a chunk is given away. */
  async request(request: WriteRequest): Promise<WriteAnswer> {
    const worker = this.#worker ?? this.#start();
    const buffers = request.kind === "chunk" ? request.columns.flatMap(buffersOf) : [];
    for (const { byteLength } of buffers) this.#stagedBytes += byteLength;
    const done = new Promise<WriteAnswer>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    // Idle it does not keep the process alive; while it is asked something, nothing else may when the process stops.
    worker.keepAlive(true);
    worker.post(request);
    try {
      const answer = await done;
      if (request.kind === "copy" || request.kind === "begin") this.#stagedBytes = 0;
      return answer;
    } finally {
      if (this.#waiting.length === 0) worker.keepAlive(false);
    }
  }

  /** After everything it was asked. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return;
    const isClosed = await this.request({ kind: "close" }).then(
      () => true,
      () => false,
    );
    const isIdle = isClosed && this.#waiting.length === 0;
    this.#giveUp(new Error("the thread that writes segments was closed"));
    await (isIdle ? worker.giveBack() : worker.terminate());
  }

  #start(): WriteWorker {
    const worker = WriteWorker.take({
      answered: (answer) => {
        const waiting = this.#waiting.shift();
        if (answer.error === undefined) waiting?.resolve(answer);
        else waiting?.reject(new Error(answer.error));
      },
      gone: (cause) => this.#giveUp(new Error("the thread that writes segments ended", { cause })),
    });
    this.#worker = worker;
    // Without a database nothing else can be done: the reason is that of all.
    void this.request({ kind: "open", options: this.#options }).catch((error: Error) => {
      if (this.#worker !== worker) return;
      this.#giveUp(error);
      return worker.terminate();
    });
    return worker;
  }

  #giveUp(error: Error): void {
    this.#worker = undefined;
    this.#stagedBytes = 0;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
