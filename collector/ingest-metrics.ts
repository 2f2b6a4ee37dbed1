import type { Rejection, Signal } from "@sightline/model/ports.ts";
import type { WireRequest } from "@sightline/proto/wire-request.ts";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { BoundedLabel } from "./bounded-label.ts";

/** Tenants that are counted one by one; the rest share a label value. */
const MAX_TENANT_LABELS = 200;

export class IngestMetrics {
  readonly #requests: Counter<"protocol" | "outcome">;
  readonly #requestBytes: Counter<"protocol">;
  readonly #seconds: Histogram<"protocol">;
  readonly #accepted: Counter<"signal" | "tenant">;
  readonly #discarded: Counter<"signal" | "tenant" | "reason">;
  readonly #deferred: Counter<"signal">;
  readonly #retries: Counter<"signal">;
  readonly #deadLetters: Counter<"signal" | "reason">;
  readonly #replayed: Counter<"signal">;
  readonly #tenants = new BoundedLabel(MAX_TENANT_LABELS);

  constructor(registry: Registry, ingest: { inFlightBytes(): number; behind(): ReadonlyMap<Signal, boolean> }) {
    const registers = [registry];
    this.#requests = new Counter({
      name: "sightline_ingest_requests_total",
      help: "Requests by protocol and outcome: accepted, or the error they were answered with",
      labelNames: ["protocol", "outcome"],
      registers,
    });
    this.#requestBytes = new Counter({
      name: "sightline_ingest_request_bytes_total",
      help: "Bytes of request bodies as they came",
      labelNames: ["protocol"],
      registers,
    });
    this.#seconds = new Histogram({
      name: "sightline_ingest_request_seconds",
      help: "Time from a whole request to its answer",
      labelNames: ["protocol"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    this.#accepted = new Counter({
      name: "sightline_accepted_items_total",
      help: "Samples, log records and spans that were accepted",
      labelNames: ["signal", "tenant"],
      registers,
    });
    this.#discarded = new Counter({
      name: "sightline_discarded_items_total",
      help: "Samples, log records and spans that were refused, with the reason their sender was told",
      labelNames: ["signal", "tenant", "reason"],
      registers,
    });
    this.#deferred = new Counter({
      name: "sightline_deferred_requests_total",
      help: "Requests answered once they were in the log, before their store had them",
      labelNames: ["signal"],
      registers,
    });
    this.#retries = new Counter({
      name: "sightline_store_retries_total",
      help: "Times a store could not take requests and the log was read again for it",
      labelNames: ["signal"],
      registers,
    });
    this.#deadLetters = new Counter({
      name: "sightline_dead_letters_total",
      help: "Requests put aside because their store refused them for good",
      labelNames: ["signal", "reason"],
      registers,
    });
    this.#replayed = new Counter({
      name: "sightline_replayed_requests_total",
      help: "Requests given to a store from the log, after a start or after the store was down",
      labelNames: ["signal"],
      registers,
    });
    new Gauge({
      name: "sightline_store_behind",
      help: "1 while requests that were answered may be in the log and not in the store yet, so that queries miss them",
      labelNames: ["signal"],
      registers,
      collect() {
        for (const [signal, isBehind] of ingest.behind()) this.set({ signal }, isBehind ? 1 : 0);
      },
    });
    new Gauge({
      name: "sightline_ingest_in_flight_bytes",
      help: "Bytes of request bodies that are not answered yet",
      registers,
      collect() {
        this.set(ingest.inFlightBytes());
      },
    });
  }

  request({ protocol, body }: WireRequest, outcome: string, seconds: number): void {
    this.#requests.inc({ protocol, outcome });
    this.#requestBytes.inc({ protocol }, body.length);
    this.#seconds.observe({ protocol }, seconds);
  }

  items(signal: Signal, tenant: string, accepted: number, rejected: readonly Rejection[]): void {
    const label = this.#tenants.of(tenant);
    if (accepted > 0) this.#accepted.inc({ signal, tenant: label }, accepted);
    for (const { reason, count } of rejected) this.#discarded.inc({ signal, tenant: label, reason }, count);
  }

  deferred(signal: Signal): void {
    this.#deferred.inc({ signal });
  }

  retry(signal: Signal): void {
    this.#retries.inc({ signal });
  }

  deadLetter(signal: Signal, reason: string): void {
    this.#deadLetters.inc({ signal, reason });
  }

  replayed(signal: Signal): void {
    this.#replayed.inc({ signal });
  }
}
