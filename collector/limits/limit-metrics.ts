import type { Signal } from "@sightline/model/ports.ts";
import { Counter, type Registry } from "prom-client";
import { BoundedLabel } from "../bounded-label.ts";
import type { Pass } from "../processors/stage.ts";

const MAX_TENANT_LABELS = 200;

export class LimitMetrics {
  readonly #refused: Counter<"signal" | "tenant" | "limit">;
  readonly #dropped: Counter<"signal" | "tenant" | "processor">;
  readonly #processed: Counter<"signal" | "tenant">;
  readonly #seconds: Counter<"signal">;
  readonly #tenants = new BoundedLabel(MAX_TENANT_LABELS);

  constructor(registry: Registry) {
    const registers = [registry];
    this.#refused = new Counter({
      name: "sightline_limited_requests_total",
      help: "Requests that were refused whole, by the limit of their tenant that refused them",
      labelNames: ["signal", "tenant", "limit"],
      registers,
    });
    this.#dropped = new Counter({
      name: "sightline_processor_dropped_items_total",
      help: "Samples, log records, spans and exemplars that a processor left out as it was told to",
      labelNames: ["signal", "tenant", "processor"],
      registers,
    });
    this.#processed = new Counter({
      name: "sightline_processor_items_total",
      help: "Samples, log records and spans that went through the processors and limits of their tenant",
      labelNames: ["signal", "tenant"],
      registers,
    });
    this.#seconds = new Counter({
      name: "sightline_processor_seconds_total",
      help: "Time spent in processors and limits",
      labelNames: ["signal"],
      registers,
    });
  }

  refused(signal: Signal, tenant: string, limit: string): void {
    this.#refused.inc({ signal, tenant: this.#tenants.of(tenant), limit });
  }

  processed(signal: Signal, tenant: string, items: number, seconds: number, { dropped }: Pass): void {
    const label = this.#tenants.of(tenant);
    this.#processed.inc({ signal, tenant: label }, items);
    this.#seconds.inc({ signal }, seconds);
    for (const [processor, count] of dropped) this.#dropped.inc({ signal, tenant: label, processor }, count);
  }
}
