import { Counter, type Registry } from "prom-client";

/** Counters of what notifications lost on their way, for all receivers. */
export class NotifyMetrics {
  readonly truncated: Counter<"integration" | "field">;
  readonly reduced: Counter<"integration">;
  readonly refused: Counter<"integration">;
  readonly delayed: Counter<"integration">;

  constructor(registry: Registry) {
    const registers = [registry];
    this.truncated = new Counter({
      name: "sightline_notify_truncated_total",
      help: "Texts of notifications that were cut to what the other side takes",
      labelNames: ["integration", "field"],
      registers,
    });
    this.reduced = new Counter({
      name: "sightline_notify_reduced_total",
      help: "Notifications made of the first alerts of their group only, because a text of all would have been too long",
      labelNames: ["integration"],
      registers,
    });
    this.refused = new Counter({
      name: "sightline_notify_refused_targets_total",
      help: "Attempts that were not made because their target is not allowed (alerting.notify.allow_private_targets)",
      labelNames: ["integration"],
      registers,
    });
    this.delayed = new Counter({
      name: "sightline_notify_rate_limited_total",
      help: "Attempts put off by alerting.notify.max_per_minute",
      labelNames: ["integration"],
      registers,
    });
  }
}
