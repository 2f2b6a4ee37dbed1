import { getHeapStatistics } from "node:v8";
import type { MemoryPart } from "@sightline/model/memory-part.ts";
import { Counter, Gauge, type Registry } from "prom-client";

export type MemoryFacts = {
  readonly limitBytes: number;
  /** May grow. */
  readonly parts: readonly MemoryPart[];
  readonly pressure: () => number;
};

/** What the memory guard shows of itself. */
export class MemoryMetrics {
  readonly #refused: Counter<"kind">;
  readonly #relieved: Counter<"action">;

  constructor(registry: Registry, { limitBytes, parts, pressure }: MemoryFacts) {
    const registers = [registry];
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name: `sightline_memory_${name}`,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    gauge("limit_bytes", "What the process may take: the setting memory_limit", () => limitBytes);
    gauge("resident_bytes", "What the process takes, as the system counts it", () => process.memoryUsage.rss());
    gauge(
      "heap_limit_bytes",
      "What V8's heap may take of it; V8 ends a process that needs more",
      () => getHeapStatistics().heap_size_limit,
    );
    gauge(
      "pressure",
      "0 none, 1 flushing early, 2 caches are let go, 3 writes are refused, 4 queries are refused, too",
      pressure,
    );
    new Gauge({
      name: "sightline_memory_bytes",
      help: "What the parts of the process hold, by their own count; v8_heap overlaps with others",
      labelNames: ["part"],
      registers,
      collect() {
        for (const part of parts) this.set({ part: part.name }, part.memoryBytes());
        const { heapUsed, external } = process.memoryUsage();
        this.set({ part: "v8_heap" }, heapUsed);
        this.set({ part: "v8_external" }, external);
      },
    });
    this.#refused = new Counter({
      name: "sightline_memory_refused_requests_total",
      help: "Requests refused because the process is near its memory limit",
      labelNames: ["kind"],
      registers,
    });
    this.#relieved = new Counter({
      name: "sightline_memory_relief_total",
      help: "What was done to stay below the memory limit: flush, shrink or collect",
      labelNames: ["action"],
      registers,
    });
    for (const kind of ["write", "query"]) this.#refused.inc({ kind }, 0);
    for (const action of ["flush", "shrink", "collect"]) this.#relieved.inc({ action }, 0);
  }

  refused(kind: "write" | "query"): void {
    this.#refused.inc({ kind });
  }

  relieved(action: "flush" | "shrink" | "collect"): void {
    this.#relieved.inc({ action });
  }
}
