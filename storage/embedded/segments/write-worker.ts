import { Worker } from "node:worker_threads";
import { buffersOf } from "./packed-column.ts";
import type { WriteAnswer, WriteRequest } from "./write-protocol.ts";

/** A process has a store of logs and one of traces. */
const MAX_IDLE = 2;
const idle: WriteWorker[] = [];

export type WriteWorkerOwner = {
  /** One for each request, in their order. */
  answered(answer: WriteAnswer): void;
  /** It answers nothing any more. Called once. */
  gone(cause?: unknown): void;
};

/**
 * A thread for segment files. To start one takes many times as long as to open a database, so that a store which is opened
 * gets that of one which was closed.
 */
export class WriteWorker {
  readonly #worker = new Worker(new URL("./write-thread-main.ts", import.meta.url));
  /** Undefined while it is idle, and once it has ended. */
  #owner: WriteWorkerOwner | undefined;

  private constructor() {
    this.#worker.on("message", (answer: WriteAnswer) => this.#owner?.answered(answer));
    this.#worker.on("error", (error) => this.#end(error));
    this.#worker.on("exit", () => this.#end());
    this.#worker.unref();
  }

  /** One without a database, the caller's own until it is given back or ends. It does not keep the process alive. */
  static take(owner: WriteWorkerOwner): WriteWorker {
    const worker = idle.pop() ?? new WriteWorker();
    worker.#owner = owner;
    return worker;
  }

  /** Requests are handled in the order they are made. The memory of a chunk is given away. */
  post(request: WriteRequest): void {
    this.#worker.postMessage(request, request.kind === "chunk" ? request.columns.flatMap(buffersOf) : []);
  }

  /** From now on it keeps the process alive, or does not. */
  keepAlive(isNeeded: boolean): void {
    if (isNeeded) this.#worker.ref();
    else this.#worker.unref();
  }

  /** It has answered all it was asked, `close` at last. */
  async giveBack(): Promise<void> {
    if (!this.#owner) return;
    this.#owner = undefined;
    if (idle.length < MAX_IDLE) idle.push(this);
    else await this.terminate();
  }

  /** Its owner hears no more of it. */
  async terminate(): Promise<void> {
    this.#owner = undefined;
    await this.#worker.terminate();
  }

  #end(cause?: unknown): void {
    const index = idle.indexOf(this);
    if (index >= 0) idle.splice(index, 1);
    const owner = this.#owner;
    this.#owner = undefined;
    owner?.gone(cause);
  }
}
