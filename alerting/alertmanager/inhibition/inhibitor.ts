import type { LabelMap } from "../../alert.ts";
import { isResolvedAt } from "../../alert.ts";
import type { KnownAlert } from "../alerts/known-alert.ts";
import type { InhibitRuleConfig } from "../config/inhibit-rule-config.ts";
import { matchesAll } from "../matchers/label-matcher.ts";

export type Inhibition = { readonly rule: InhibitRuleConfig; readonly by: KnownAlert };

/** Sources that are equal in a rule's labels, by fingerprint: those that are only sources, and those that are targets, too. */
type Sources = { readonly plain: Map<string, KnownAlert>; readonly twoSided: Map<string, KnownAlert> };

/** Knows which alerts hold others back (inhibit/inhibit.go). */
export class Inhibitor {
  readonly #rules: readonly { readonly rule: InhibitRuleConfig; readonly sources: Map<string, Sources> }[];

  constructor(rules: readonly InhibitRuleConfig[]) {
    this.#rules = rules.map((rule) => ({ rule, sources: new Map() }));
  }

  /** To be told of every alert that is received. */
  observe(alert: KnownAlert): void {
    for (const { rule, sources } of this.#rules) {
      if (!matchesAll(rule.sourceMatchers, alert.labels)) continue;
      const key = equalKey(rule, alert.labels);
      let equal = sources.get(key);
      if (!equal) {
        equal = { plain: new Map(), twoSided: new Map() };
        sources.set(key, equal);
      }
      const isTarget = matchesAll(rule.targetMatchers, alert.labels);
      (isTarget ? equal.twoSided : equal.plain).set(alert.fingerprint, alert);
    }
  }

  /** The first rule and alert that hold it back. */
  inhibitionOf(labels: LabelMap, nowMs: number): Inhibition | undefined {
    for (const { rule, sources } of this.#rules) {
      if (!matchesAll(rule.targetMatchers, labels)) continue;
      const equal = sources.get(equalKey(rule, labels));
      if (!equal) continue;
      // Alerts that match both sides do not hold each other back, nor themselves.
      const by =
        firing(equal.plain, nowMs) ??
        (matchesAll(rule.sourceMatchers, labels) ? undefined : firing(equal.twoSided, nowMs));
      if (by) return { rule, by };
    }
    return undefined;
  }

  /** Forgets sources that are over. */
  collectGarbage(nowMs: number): void {
    for (const { sources } of this.#rules) {
      for (const [key, { plain, twoSided }] of sources) {
        for (const alerts of [plain, twoSided]) {
          for (const [fingerprint, alert] of alerts) if (isResolvedAt(alert, nowMs)) alerts.delete(fingerprint);
        }
        if (plain.size + twoSided.size === 0) sources.delete(key);
      }
    }
  }
}

function equalKey(rule: InhibitRuleConfig, labels: LabelMap): string {
  return rule.equal.map((name) => labels[name] ?? "").join("\u0000");
}

/** Those that are over are forgotten on the way: they are observed again when they fire again. */
function firing(alerts: Map<string, KnownAlert>, nowMs: number): KnownAlert | undefined {
  for (const [fingerprint, alert] of alerts) {
    if (!isResolvedAt(alert, nowMs)) return alert;
    alerts.delete(fingerprint);
  }
  return undefined;
}
