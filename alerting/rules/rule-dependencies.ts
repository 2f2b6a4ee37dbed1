import type { RuleConfig } from "./rule-config.ts";

/** Names that can't be meant by another spelling, as those of OpenTelemetry can. */
const PLAIN_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
/** What `info` and resource attributes join without naming it. */
const JOINED_UNNAMED = /_info$/;
const OF_ALERTS = ["ALERTS", "ALERTS_FOR_STATE"];

/** What rules have given that is not written yet. */
export class UnwrittenNames {
  readonly #names = new Set<string>();
  /** One of them may be read under another name. */
  #isAmbiguous = false;

  add({ kind, name }: RuleConfig): void {
    for (const written of kind === "alerting" ? OF_ALERTS : [name]) this.#names.add(written);
    if (kind === "recording" && (!PLAIN_NAME.test(name) || JOINED_UNNAMED.test(name))) this.#isAmbiguous = true;
  }

  clear(): void {
    this.#names.clear();
    this.#isAmbiguous = false;
  }

  /** False only when the rule surely reads none of them (as Prometheus' dependency map of rules/group.go has it). */
  mayBeReadBy(rule: RuleConfig): boolean {
    if (this.#names.size === 0) return false;
    const { reads } = rule.expression;
    if (this.#isAmbiguous || !reads || asksQueries(rule)) return true;
    for (const name of reads) if (!PLAIN_NAME.test(name) || this.#names.has(name)) return true;
    return false;
  }
}

/** Its templates may, too, evaluate expressions. */
function asksQueries({ labels, annotations }: RuleConfig): boolean {
  return [...Object.values(labels), ...Object.values(annotations)].some(
    (text) => text.includes("{{") && text.includes("query"),
  );
}
