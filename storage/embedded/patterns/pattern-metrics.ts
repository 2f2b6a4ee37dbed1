import { Counter, Gauge, type Registry } from "prom-client";

/** What the pattern store measures of itself. */
export class PatternMetrics {
  readonly skipped: Counter;
  readonly evicted: Counter;
  readonly failures: Counter;

  constructor(registry: Registry, templates: () => number) {
    const registers = [registry];
    this.skipped = new Counter({
      name: "sightline_log_patterns_skipped_lines_total",
      help: "Log lines that were counted for no pattern: too many looked new (storage.patterns.max_new_lines_per_second).",
      registers,
    });
    this.evicted = new Counter({
      name: "sightline_log_patterns_evicted_total",
      help: "Patterns that were let go for others (storage.patterns.max_templates, max_bytes).",
      registers,
    });
    this.failures = new Counter({
      name: "sightline_log_patterns_failures_total",
      help: "Batches that could not be counted, and snapshots of patterns that could not be written or read.",
      registers,
    });
    new Gauge({
      name: "sightline_log_patterns",
      help: "Patterns of log lines that are known, of all tenants.",
      registers,
      collect() {
        this.set(templates());
      },
    });
  }
}
