import type { MetricMetadata } from "@sightline/model/metric-batch.ts";
import { escapeMetricName } from "./escape-name.ts";

/** Suffixes of the series that a histogram or summary is made of. */
export type PartSuffix = "_bucket" | "_count" | "_sum";
/** A stored metric that a spelling may mean; `suffix` when the spelling named a part of it. */
export type Spelled = { readonly family: MetricMetadata; readonly suffix: PartSuffix | "" };

const PART = /[._](bucket|count|sum)$/;
const HAS_PARTS: ReadonlySet<string> = new Set(["histogram", "gaugehistogram", "summary"]);

/**
 * Finds stored metrics by other names than the stored one: the name OpenTelemetry had (`http.server.duration`), the same
 * with underscores, and the name a Prometheus would have stored it under.
 */
export class MetricSpellings {
  readonly #bySpelling = new Map<string, MetricMetadata[]>();

  constructor(metrics: readonly MetricMetadata[]) {
    for (const metric of metrics) {
      for (const spelling of spellingsOf(metric)) {
        const known = this.#bySpelling.get(spelling);
        if (known) known.push(metric);
        else this.#bySpelling.set(spelling, [metric]);
      }
    }
  }

  /** The metrics that `name` may mean beside the one stored under just that name, sorted by name. */
  find(name: string): Spelled[] {
    const found: Spelled[] = (this.#bySpelling.get(name) ?? []).map((family) => ({ family, suffix: "" }));
    const part = PART.exec(name)?.[1];
    if (part) {
      const stem = name.slice(0, -part.length - 1);
      for (const family of this.#bySpelling.get(stem) ?? []) {
        if (HAS_PARTS.has(family.type)) found.push({ family, suffix: `_${part}` as PartSuffix });
      }
    }
    return found.sort((a, b) => (a.family.metric < b.family.metric ? -1 : 1));
  }
}

/** All spellings but the stored name itself. */
function spellingsOf(metric: MetricMetadata): Set<string> {
  const { metric: stored, unit, type } = metric;
  const otelName = metric.otelName || stored;
  const escaped = escapeMetricName(otelName);
  const withUnit = unit === "" || escaped.endsWith(`_${unit}`) ? escaped : `${escaped}_${unit}`;
  const spellings = new Set([otelName, escaped, escapeMetricName(stored), withUnit]);
  if (type === "counter") spellings.add(withUnit.endsWith("_total") ? withUnit : `${withUnit}_total`);
  spellings.delete(stored);
  spellings.delete("");
  return spellings;
}
