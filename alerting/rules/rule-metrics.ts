import { Counter, Gauge, type Registry, Summary } from "prom-client";

/** What rules say of themselves, under Prometheus' names, so that its dashboards and alerts work. */
export class RuleMetrics {
  readonly evaluations: Counter<"rule_group">;
  readonly failures: Counter<"rule_group">;
  readonly iterations: Counter<"rule_group">;
  readonly missed: Counter<"rule_group">;
  readonly interval: Gauge<"rule_group">;
  readonly lastEvaluation: Gauge<"rule_group">;
  readonly lastDuration: Gauge<"rule_group">;
  readonly lastSamples: Gauge<"rule_group">;
  readonly lastRestore: Gauge<"rule_group">;
  readonly rules: Gauge<"rule_group">;
  readonly evaluationSeconds: Summary;
  readonly groupSeconds: Summary;

  constructor(registry: Registry) {
    const registers = [registry];
    const labelNames = ["rule_group"] as const;
    const counter = (name: string, help: string) =>
      new Counter({ name: `prometheus_rule_${name}`, help, labelNames, registers });
    const gauge = (name: string, help: string) =>
      new Gauge({ name: `prometheus_rule_group_${name}`, help, labelNames, registers });
    const summary = (name: string, help: string) =>
      new Summary({
        name: `prometheus_rule_${name}`,
        help,
        percentiles: [0.01, 0.05, 0.5, 0.9, 0.99],
        maxAgeSeconds: 600,
        ageBuckets: 5,
        compressCount: 1_000,
        registers,
      });
    this.evaluations = counter("evaluations_total", "The total number of rule evaluations.");
    this.failures = counter("evaluation_failures_total", "The total number of rule evaluation failures.");
    this.iterations = counter(
      "group_iterations_total",
      "The total number of scheduled rule group evaluations, whether executed or missed.",
    );
    this.missed = counter(
      "group_iterations_missed_total",
      "The total number of rule group evaluations missed due to slow rule group evaluation.",
    );
    this.interval = gauge("interval_seconds", "The interval of a rule group.");
    this.lastEvaluation = gauge(
      "last_evaluation_timestamp_seconds",
      "The timestamp of the last rule group evaluation in seconds.",
    );
    this.lastDuration = gauge("last_duration_seconds", "The duration of the last rule group evaluation.");
    this.lastSamples = gauge(
      "last_evaluation_samples",
      "The number of samples returned during the last rule group evaluation.",
    );
    this.lastRestore = gauge(
      "last_restore_duration_seconds",
      "The duration of the last alert rules alerts restoration using the `ALERTS_FOR_STATE` series.",
    );
    this.rules = gauge("rules", "The number of rules.");
    this.evaluationSeconds = summary("evaluation_duration_seconds", "The duration for a rule to execute.");
    this.groupSeconds = summary("group_duration_seconds", "The duration of rule group evaluations.");
  }

  forget(rule_group: string): void {
    for (const metric of [
      this.evaluations,
      this.failures,
      this.iterations,
      this.missed,
      this.interval,
      this.lastEvaluation,
      this.lastDuration,
      this.lastSamples,
      this.lastRestore,
      this.rules,
    ]) {
      metric.remove({ rule_group });
    }
  }
}
