import type { MemoryGate } from "@sightline/model/memory-part.ts";
import { decompressAsync } from "@sightline/proto/compression.ts";
import type { Decoder } from "@sightline/proto/decoder.ts";
import { JsonThread } from "@sightline/proto/otlp/json-thread.ts";
import type { Decoded, Protocol, WireRequest } from "@sightline/proto/wire-request.ts";
import type { BudgetPlace } from "./byte-budget.ts";
import { ConcurrencyGate } from "./concurrency-gate.ts";
import type { FairTurns } from "./fair-turns.ts";
import { signalOf } from "./signal-of.ts";
import type { LoggedRequest } from "./wal/record.ts";

export type RequestDecodingOptions = {
  readonly decoder: Pick<Decoder, "decode" | "decodeInSteps">;
  /** Whose turn it is on the event loop. */
  readonly turns: FairTurns;
  /** Of one request. */
  readonly maxDecompressedBytes: number;
  /** Asked before a request is decoded. */
  readonly memory?: MemoryGate | undefined;
};

/** Decoding so much takes some milliseconds: larger requests are decoded in steps. */
export const LARGE_BODY_BYTES = 512 * 1024;
/** Bytes of JSON per byte that was sent. */
const TYPICAL_RATIO = 10;
const PROTOBUF_OF: ReadonlyMap<Protocol, Protocol> = new Map([
  ["otlp-metrics-json", "otlp-metrics-protobuf"],
  ["otlp-logs-json", "otlp-logs-protobuf"],
  ["otlp-traces-json", "otlp-traces-protobuf"],
  ["loki-push-json", "loki-push-protobuf"],
]);
/** Few, because each may take max_decompressed_bytes. Only large bodies take long: they are inflated on other threads. */
const MAX_INFLATING = 2;

/**
 * From the body of a request to batches, so that no large one holds the event loop: inflating and JSON have threads of
 * their own, the rest is done in steps, between which others have their turn.
 */
export class RequestDecoding {
  readonly #options: RequestDecodingOptions;
  readonly #inflating = new ConcurrencyGate(MAX_INFLATING);
  readonly #json = new JsonThread();

  constructor(options: RequestDecodingOptions) {
    this.#options = options;
  }

  /** How long the one that waits longest has waited, in milliseconds. */
  get waitedMs(): number {
    return Math.max(this.#options.turns.waitedMs, this.#inflating.waitedMs);
  }

  /**
   * `place` has the body already and grows by what decoding takes: a batch takes about as much as the body that it was made
   * from, inflated; of samples, as the compressed one. Throws what decoders and the budget throw.
   */
  async decode(request: WireRequest, place: BudgetPlace): Promise<Decoded> {
    const { encoding } = request;
    if (encoding === "identity" || encoding === "snappy") {
      place.grow(request.body.length);
      return this.#decodeInTurn(await this.#withoutJson(request, place, false));
    }
    const body = await this.#inflating.run(async () => {
      const inflated = await decompressAsync(request.body, encoding, this.#options.maxDecompressedBytes);
      place.grow(inflated.length);
      return inflated;
    });
    const inflated: WireRequest = { ...request, body, encoding: "identity" };
    return this.#decodeInTurn(await this.#withoutJson(inflated, place, true));
  }

  /** A request from the log with what takes long before it is decoded done on other threads. Throws what decoding it would. */
  async prepare(request: LoggedRequest): Promise<LoggedRequest> {
    const { encoding, body } = request;
    if (!isJson(request)) return request;
    const isInflated = encoding !== "identity";
    if (body.length < (isInflated ? LARGE_BODY_BYTES / TYPICAL_RATIO : LARGE_BODY_BYTES)) return request;
    const inflated = isInflated ? await decompressAsync(body, encoding, this.#options.maxDecompressedBytes) : body;
    const wire: WireRequest = { ...request, encoding: "identity", body: inflated };
    return { ...request, ...(await this.#withoutJson(wire, undefined, isInflated)) };
  }

  /** Takes turns with others between steps, and waits for promises that they yield. */
  async inTurns<T>(steps: Generator<unknown, T, undefined>): Promise<T> {
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      if (step.value instanceof Promise) await step.value;
      const next = this.#options.turns.next("go-on");
      if (next) await next;
    }
  }

  async close(): Promise<void> {
    await this.#json.close();
  }

  /** Large requests in JSON become protobuf on another thread. Nobody else needs a body that was inflated. */
  async #withoutJson(request: WireRequest, place: BudgetPlace | undefined, isInflated: boolean): Promise<WireRequest> {
    const protocol = PROTOBUF_OF.get(request.protocol);
    if (!protocol || request.encoding !== "identity" || request.body.length < LARGE_BODY_BYTES) return request;
    const kind = protocol === "loki-push-protobuf" ? "loki-push" : signalOf(request);
    const body = await this.#json.toProtobuf(kind, request.body, { giveAway: isInflated });
    place?.grow(body.length);
    return { ...request, protocol, body };
  }

  async #decodeInTurn(request: WireRequest): Promise<Decoded> {
    const { decoder, memory, turns } = this.#options;
    const turn = turns.next("decode");
    if (turn) await turn;
    // It may have become short since the request was let in.
    memory?.admit(0);
    if (request.body.length < LARGE_BODY_BYTES) return decoder.decode(request);
    return this.inTurns(decoder.decodeInSteps(request));
  }
}

function isJson(request: LoggedRequest): request is LoggedRequest & { readonly protocol: Protocol } {
  return PROTOBUF_OF.has(request.protocol as Protocol);
}
