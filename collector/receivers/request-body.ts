import type { Readable } from "node:stream";
import { CancelledError, SightlineError, TooLargeError } from "@sightline/model/errors.ts";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ByteBudget } from "../byte-budget.ts";
import type { LimitsConfig } from "../config.ts";

/** A body that is too large is still read to its end, so that the client sees the answer; but not one larger than this. */
const MAX_DRAINED_BYTES = 512 * 1024 * 1024;

/** The body of a request, or why it was not read. */
class ReceivedBody {
  readonly #budget: ByteBudget;
  #bytes: Buffer = Buffer.alloc(0);
  #reserved = 0;
  error: unknown;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  async read(payload: Readable, contentLength: number | undefined, maxBytes: number): Promise<void> {
    if (contentLength !== undefined && contentLength > maxBytes) throw tooLarge(contentLength, maxBytes);
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of payload.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) throw tooLarge(length, maxBytes);
      this.#budget.reserve(chunk.length);
      this.#reserved += chunk.length;
      chunks.push(chunk);
    }
    this.#bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length);
  }

  /** The bytes, whose place in the budget is the caller's concern from now on. Throws why they were not read. */
  take(): Buffer {
    this.release();
    if (this.error !== undefined) throw this.error;
    return this.#bytes;
  }

  release(): void {
    this.#budget.release(this.#reserved);
    this.#reserved = 0;
  }
}

/** Makes the routes of a scope receive their bodies as bytes, whatever their content type, within the limits. */
export function receiveBodies(scope: FastifyInstance, limits: LimitsConfig, budget: ByteBudget): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", async (request: FastifyRequest, payload: Readable) => {
    const body = new ReceivedBody(budget);
    request.raw.once("close", () => body.release());
    const contentLength = request.headers["content-length"];
    try {
      await body.read(
        payload,
        contentLength === undefined ? undefined : Number(contentLength),
        limits.max_request_bytes,
      );
    } catch (error) {
      body.release();
      body.error =
        error instanceof SightlineError ? error : new CancelledError("the client went away", { cause: error });
      drain(payload);
    }
    return body;
  });
}

/** The body of a request in a scope that {@link receiveBodies}; empty when there is none. Only once per request. */
export function takeBody(request: FastifyRequest): Buffer {
  return request.body instanceof ReceivedBody ? request.body.take() : Buffer.alloc(0);
}

/** Closing a connection with unread bytes would reset it, and the client would see that instead of the answer. */
function drain(payload: Readable): void {
  let bytes = 0;
  payload.on("error", () => {});
  payload.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_DRAINED_BYTES) payload.destroy();
  });
  payload.resume();
}

function tooLarge(bytes: number, maxBytes: number): TooLargeError {
  return new TooLargeError(
    `request body of ${bytes} bytes or more is larger than collector.limits.max_request_bytes (${maxBytes}): ` +
      "send smaller batches or raise it",
  );
}
