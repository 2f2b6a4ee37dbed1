import type { CheckedExpression } from "@sightline/model/rules.ts";
import type { LabelMap } from "../alert.ts";

/** A rule as its file has it, checked. */
export type RuleConfig = {
  readonly kind: "alerting" | "recording";
  readonly name: string;
  readonly expression: CheckedExpression;
  /** With those of the group, over which its own win. */
  readonly labels: LabelMap;
  readonly annotations: LabelMap;
  readonly forMs: number;
  readonly keepFiringForMs: number;
  /** Alert, too, once the expression has given nothing, or failed, for so long. Absent: never. */
  readonly noDataForMs?: number | undefined;
  readonly errorForMs?: number | undefined;
};

/** Rules that are evaluated one after the other. */
export type GroupConfig = {
  readonly name: string;
  /** Absent: `alerting.rules.interval_ms`. */
  readonly intervalMs?: number | undefined;
  readonly queryOffsetMs?: number | undefined;
  /** Most alerts or samples of one rule; 0: any number. */
  readonly limit: number;
  readonly labels: LabelMap;
  readonly rules: readonly RuleConfig[];
};
