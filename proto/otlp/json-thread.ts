import { Worker } from "node:worker_threads";
import { InvalidInputError, TooLargeError } from "@sightline/model/errors.ts";
import type { Signal } from "@sightline/model/ports.ts";

/** What the JSON is: OTLP of a signal, or Loki's push. */
export type JsonKind = Signal | "loki-push";
export type JsonRequest = { readonly kind: JsonKind; readonly bytes: Uint8Array };
/** `error` has the message of an `InvalidInputError`, `bug` that of anything else. */
export type JsonAnswer = { readonly bytes: Uint8Array } | { readonly error: string } | { readonly bug: string };

type Waiting = { readonly resolve: (bytes: Uint8Array) => void; readonly reject: (error: Error) => void };

/**
 * A thread that turns large requests in JSON into protobuf, one after the other: parsing can't be interrupted, and
 * 100 MB of it takes seconds. Starts with its first request. It has a heap of its own; a request that does not fit is
 * refused, and the next one begins with a new thread.
 */
export class JsonThread {
  #worker: Worker | undefined;
  #waiting: Waiting[] = [];

  /** As {@link otlpJsonToProtobuf} and {@link lokiPushJsonToProtobuf}. `bytes` are copied, unless `giveAway` says that nobody else needs their memory. */
  toProtobuf(kind: JsonKind, bytes: Uint8Array, { giveAway = false } = {}): Promise<Uint8Array> {
    const worker = this.#worker ?? this.#start();
    const isWhole = bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
    const given = giveAway && isWhole ? bytes : new Uint8Array(bytes);
    const done = new Promise<Uint8Array>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    // Idle it does not keep the process alive; while it is asked something, nothing else may when the process stops.
    worker.ref();
    worker.postMessage({ kind, bytes: given } satisfies JsonRequest, [given.buffer as ArrayBuffer]);
    return done.finally(() => {
      if (this.#waiting.length === 0) worker.unref();
    });
  }

  /** What it was asked and has not answered is rejected. */
  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL("./json-thread-main.ts", import.meta.url));
    this.#worker = worker;
    worker.unref();
    worker.on("message", (answer: JsonAnswer) => {
      const waiting = this.#waiting.shift();
      if ("bytes" in answer) waiting?.resolve(answer.bytes);
      else waiting?.reject("error" in answer ? new InvalidInputError(answer.error) : new Error(answer.bug));
    });
    const gone = (cause?: unknown) => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      for (const { reject } of this.#waiting.splice(0)) reject(refusal(cause));
    };
    worker.on("error", gone);
    worker.on("exit", gone);
    return worker;
  }
}

function refusal(cause: unknown): Error {
  if ((cause as NodeJS.ErrnoException | undefined)?.code !== "ERR_WORKER_OUT_OF_MEMORY") {
    return new Error("the thread that reads JSON ended", { cause });
  }
  return new TooLargeError("the request needs more memory as JSON than there is: send smaller batches, or protobuf", {
    cause,
  });
}
