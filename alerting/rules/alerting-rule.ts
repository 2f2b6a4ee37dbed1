import { type Labels, labelsFrom, labelsKey, METRIC_NAME } from "@sightline/model/labels.ts";
import type { RuleSample } from "@sightline/model/rules.ts";
import type { LabelMap } from "../alert.ts";
import type { PostedAlert } from "../alert-sink.ts";
import type { RuleConfig } from "./rule-config.ts";
import type { RuleRow } from "./rule-row.ts";
import { RuleTemplates, type TemplateSurroundings } from "./rule-templates.ts";

export type AlertState = "inactive" | "pending" | "firing";

/** One element of an alerting rule. Times in milliseconds; 0: never. */
export type ActiveAlert = {
  readonly labels: Labels;
  /** So long it is pending: that of the rule, or of what it tells of it. */
  readonly holdMs: number;
  annotations: LabelMap;
  state: AlertState;
  value: number;
  activeAtMs: number;
  firedAtMs: number;
  resolvedAtMs: number;
  lastSentAtMs: number;
  keepFiringSinceMs: number;
};

export type AlertEvaluation = {
  /** Of the evaluation; queries were asked `queryOffsetMs` before. */
  readonly timeMs: number;
  /** Most alerts; 0: any number. */
  readonly limit: number;
  readonly templates: TemplateSurroundings;
};

/** So long an alert that has ended is kept, and said again. */
const RESOLVED_RETENTION_MS = 15 * 60_000;
/** What the rule tells of itself, and not of an element of its expression. */
const REASON = "alert_reason";

/**
 * The state of an alerting rule from one evaluation to the next, as Prometheus has it (rules/alerting.go). Not to be used
 * by two evaluations at a time.
 */
export class AlertingRule {
  readonly config: RuleConfig;
  /** What was true before a restart is known: until then nothing is written. */
  isRestored: boolean;
  #active = new Map<string, ActiveAlert>();
  readonly #templates: RuleTemplates;
  readonly #ruleLabels: ReadonlySet<string>;

  constructor(config: RuleConfig, options: { readonly isRestored: boolean }) {
    this.config = config;
    this.isRestored = options.isRestored;
    this.#templates = new RuleTemplates(config.name, config);
    this.#ruleLabels = new Set(Object.keys(config.labels));
  }

  /** Pending, firing, and those that have ended a short while ago. */
  get alerts(): Iterable<ActiveAlert> {
    return this.#active.values();
  }

  get state(): AlertState {
    const states = new Set(Array.from(this.#active.values(), ({ state }) => state));
    if (states.has("firing")) return "firing";
    return states.has("pending") ? "pending" : "inactive";
  }

  /** Goes on where a rule of the same name and labels was. */
  takeOver(before: AlertingRule): void {
    this.#active = new Map(before.#active);
  }

  /**
   * What the elements of the expression make of the alerts. Gives the rows to be written. Throws an Error for label sets
   * that come twice, with the state as it was, and for more alerts than `limit`, with all state gone.
   */
  async evaluate(samples: readonly RuleSample[], evaluation: AlertEvaluation): Promise<readonly RuleRow[]> {
    const found = new Map<string, ActiveAlert>();
    for (const sample of samples) await this.#find(sample, this.config.forMs, evaluation, found);
    if (samples.length === 0 && this.config.noDataForMs !== undefined) {
      await this.#find(about("no_data"), this.config.noDataForMs, evaluation, found);
    }
    const active = this.#advance(found, evaluation.timeMs, true);
    this.#checkLimit(active.length, evaluation.limit);
    return this.#rows(active);
  }

  /** The expression failed: only what the rule says of that changes. Undefined: the rule does not want to say it. */
  async evaluateFailure(evaluation: AlertEvaluation): Promise<readonly RuleRow[] | undefined> {
    if (this.config.errorForMs === undefined) return undefined;
    const found = new Map<string, ActiveAlert>();
    await this.#find(about("error"), this.config.errorForMs, evaluation, found);
    return this.#rows(this.#advance(found, evaluation.timeMs, false));
  }

  /** Goes on where another process was. */
  adopt(alerts: readonly ActiveAlert[]): void {
    this.#active = new Map(alerts.map((alert) => [labelsKey(alert.labels), alert]));
    this.isRestored = true;
  }

  /** Those that have to be said now; they count as said. Until `endsAtMs` they hold without being said again. */
  takeDue(timeMs: number, resendDelayMs: number, intervalMs: number): ActiveAlert[] {
    const due: ActiveAlert[] = [];
    for (const alert of this.#active.values()) {
      if (alert.state === "pending") continue;
      const isNews = alert.resolvedAtMs > alert.lastSentAtMs || alert.lastSentAtMs + resendDelayMs < timeMs;
      if (!isNews) continue;
      alert.lastSentAtMs = timeMs;
      due.push(alert);
    }
    // Two evaluations, or two attempts to say it, may fail.
    this.#validForMs = 4 * Math.max(intervalMs, resendDelayMs);
    return due;
  }
  #validForMs = 0;

  posted(alert: ActiveAlert, generatorUrl: string, externalLabels: LabelMap): PostedAlert {
    return {
      labels: { ...externalLabels, ...Object.fromEntries(alert.labels) },
      annotations: alert.annotations,
      startsAtMs: alert.firedAtMs,
      endsAtMs: alert.resolvedAtMs > 0 ? alert.resolvedAtMs : alert.lastSentAtMs + this.#validForMs,
      generatorUrl,
    };
  }

  async #find(
    sample: RuleSample,
    holdMs: number,
    { timeMs, templates }: AlertEvaluation,
    found: Map<string, ActiveAlert>,
  ): Promise<void> {
    const { labels: own, annotations } = await this.#templates.expand(sample, timeMs, templates);
    const kept = sample.labels.filter(([name]) => name !== METRIC_NAME && !this.#ruleLabels.has(name));
    const labels = labelsFrom([...kept, ...Object.entries(own), ["alertname", this.config.name]]);
    const key = labelsKey(labels);
    if (found.has(key)) throw new Error("vector contains metrics with the same labelset after applying alert labels");
    found.set(key, {
      labels,
      holdMs,
      annotations,
      state: "pending",
      value: sample.value,
      activeAtMs: timeMs,
      firedAtMs: 0,
      resolvedAtMs: 0,
      lastSentAtMs: 0,
      keepFiringSinceMs: 0,
    });
  }

  /** `isComplete`: what is not found is not there. Gives those that are pending or firing now. */
  #advance(found: ReadonlyMap<string, ActiveAlert>, timeMs: number, isComplete: boolean): readonly ActiveAlert[] {
    for (const [key, alert] of found) {
      const known = this.#active.get(key);
      if (known && known.state !== "inactive") {
        known.value = alert.value;
        known.annotations = alert.annotations;
      } else {
        this.#active.set(key, alert);
      }
    }
    const active: ActiveAlert[] = [];
    for (const [key, alert] of this.#active) {
      if (found.has(key)) alert.keepFiringSinceMs = 0;
      else if (!isComplete) continue;
      else if (!this.#outlives(key, alert, timeMs)) continue;
      if (alert.state === "pending" && timeMs - alert.activeAtMs >= alert.holdMs) {
        alert.state = "firing";
        alert.firedAtMs = timeMs;
      }
      active.push(alert);
    }
    return active;
  }

  /** Whether an alert that was not found is firing all the same. */
  #outlives(key: string, alert: ActiveAlert, timeMs: number): boolean {
    const { keepFiringForMs } = this.config;
    if (alert.state === "firing" && keepFiringForMs > 0) {
      if (alert.keepFiringSinceMs === 0) alert.keepFiringSinceMs = timeMs;
      if (timeMs - alert.keepFiringSinceMs < keepFiringForMs) return true;
    }
    const isOld = alert.resolvedAtMs > 0 && timeMs - alert.resolvedAtMs > RESOLVED_RETENTION_MS;
    if (alert.state === "pending" || isOld) this.#active.delete(key);
    if (alert.state !== "inactive") {
      alert.state = "inactive";
      alert.resolvedAtMs = timeMs;
    }
    return false;
  }

  #checkLimit(count: number, limit: number): void {
    if (limit === 0 || count <= limit) return;
    this.#active.clear();
    throw new Error(`exceeded limit of ${limit} with ${count} alerts`);
  }

  #rows(active: readonly ActiveAlert[]): readonly RuleRow[] {
    if (!this.isRestored) return [];
    return active.flatMap(({ labels, state, activeAtMs }) => [
      rowOf([...labels, [METRIC_NAME, "ALERTS"], ["alertstate", state]], 1),
      rowOf([...labels, [METRIC_NAME, "ALERTS_FOR_STATE"]], Math.floor(activeAtMs / 1_000)),
    ]);
  }
}

function about(reason: "no_data" | "error"): RuleSample {
  return { labels: [[REASON, reason]], value: 0 };
}

function rowOf(pairs: Labels, value: number): RuleRow {
  const labels = labelsFrom(pairs);
  return { key: labelsKey(labels), labels, value };
}
