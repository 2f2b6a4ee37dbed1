import type { SpanBatch } from "@sightline/model/span-batch.ts";

/** A request whose spans wait, as far as they do. */
export type HeldRequest = { readonly position: number; readonly batch: SpanBatch; waiting: number };
export type HeldRow = { readonly request: HeldRequest; readonly row: number };
/** `sinceMs`: when its first span was received, in Unix milliseconds. */
export type HeldTrace = { readonly sinceMs: number; readonly rows: HeldRow[]; isAnnounced: boolean };

/** The spans of one tenant for which nothing is decided yet, in the order in which their traces began. */
export class HeldTraces {
  readonly #traces = new Map<string, HeldTrace>();
  /** By position, ascending. */
  readonly #requests = new Map<number, HeldRequest>();
  #spans = 0;

  get spans(): number {
    return this.#spans;
  }

  /** The lowest position of a request of which a span waits. */
  get firstPosition(): number | undefined {
    return this.#requests.keys().next().value;
  }

  add(batch: SpanBatch, position: number, receivedAtMs: number): void {
    const request = { position, batch, waiting: batch.length };
    if (batch.length === 0 || this.#requests.has(position)) return;
    this.#requests.set(position, request);
    this.#spans += batch.length;
    for (let row = 0; row < batch.length; row++) {
      const traceId = batch.traceIds[row] as string;
      const trace = this.#traces.get(traceId);
      if (trace) trace.rows.push({ request, row });
      else this.#traces.set(traceId, { sinceMs: receivedAtMs, rows: [{ request, row }], isAnnounced: false });
    }
  }

  get(traceId: string): HeldTrace | undefined {
    return this.#traces.get(traceId);
  }

  /** Those that began first come first. */
  entries(): IterableIterator<[traceId: string, HeldTrace]> {
    return this.#traces.entries();
  }

  /** Spans of a trace from requests before a position; those that came later wait on. */
  remove(traceId: string, before: number): void {
    const trace = this.#traces.get(traceId);
    if (!trace) return;
    const gone = trace.rows.filter(({ request }) => request.position < before);
    if (gone.length === trace.rows.length) this.#traces.delete(traceId);
    else trace.rows.splice(0, trace.rows.length, ...trace.rows.filter(({ request }) => request.position >= before));
    trace.isAnnounced = false;
    this.#spans -= gone.length;
    for (const { request } of gone) if (--request.waiting === 0) this.#requests.delete(request.position);
  }
}
