import type { MetricType, SeriesInfo } from "@sightline/model/metric-batch.ts";
import type { MetadataOnce } from "../../metrics/metadata-once.ts";
import { type Fault, invalid } from "../../metrics/rejection-log.ts";
import { metricName, type NameKind } from "./metric-name.ts";
import type { ScopeContext } from "./scope-context.ts";
import type { TranslationStrategy } from "./translation.ts";
import { unitName } from "./unit-name.ts";

/** The kinds of data a metric may have, by the names of their fields in `Metric`. */
export type DataKind = "gauge" | "sum" | "histogram" | "exponential_histogram" | "summary";
export const DELTA = 1;
export const CUMULATIVE = 2;

/** What a metric's own fields say, and what its data says beside its points. */
export type WireMetric = {
  /** Undefined where the text is not valid UTF-8. */
  readonly name: string | undefined;
  readonly unit: string | undefined;
  readonly description: string;
  readonly kind: DataKind;
  /** `AggregationTemporality`; 0 for kinds that have none. */
  readonly temporality: number;
  readonly monotonic: boolean;
};

/** One metric of one scope: what all its points share. */
export type MetricContext = {
  readonly id: number;
  readonly scope: ScopeContext;
  /** Why all its points are refused. */
  readonly fault: Fault | undefined;
  /** Name of the family as PromQL spells it. */
  readonly name: string;
  readonly info: SeriesInfo;
  /** Number of its metadata in {@link MetadataOnce}. */
  readonly metadata: number;
};

export function metricContext(
  id: number,
  scope: ScopeContext,
  wire: WireMetric,
  strategy: TranslationStrategy,
  metadata: MetadataOnce,
): MetricContext {
  const { name: otelName = "", unit: otelUnit = "", kind, temporality, monotonic } = wire;
  const type = typeOf(kind, monotonic);
  const unit = unitName(otelUnit);
  const name = metricName(otelName, otelUnit, nameKind(kind, monotonic), strategy);
  const info: SeriesInfo = {
    type,
    unit,
    temporality: temporality === DELTA ? "delta" : temporality === CUMULATIVE ? "cumulative" : "",
    otelName,
  };
  const fault = scope.fault ?? metricFault(wire, name);
  if (fault || name === undefined) return { id, scope, fault, name: "", info, metadata: -1 };
  const number = metadata.keep({ metric: name, type, unit, help: wire.description, otelName });
  return { id, scope, fault, name, info, metadata: number };
}

function metricFault(wire: WireMetric, name: string | undefined): Fault | undefined {
  if (wire.name === undefined || wire.unit === undefined) {
    return invalid("utf8-metric", "the name or unit of a metric is not valid UTF-8");
  }
  if (name === undefined) {
    return invalid("metric-name", `metric name ${JSON.stringify(wire.name)} has no character that a name may have`);
  }
  const needsTemporality = wire.kind !== "gauge" && wire.kind !== "summary";
  if (needsTemporality && wire.temporality !== DELTA && wire.temporality !== CUMULATIVE) {
    return invalid(
      "temporality",
      `metric ${JSON.stringify(wire.name)} has no aggregation temporality: set it to delta (1) or cumulative (2)`,
    );
  }
  return undefined;
}

/** Sums that may fall are gauges to Prometheus. */
function typeOf(kind: DataKind, monotonic: boolean): MetricType {
  if (kind === "sum") return monotonic ? "counter" : "gauge";
  return kind === "exponential_histogram" ? "histogram" : kind;
}

function nameKind(kind: DataKind, monotonic: boolean): NameKind {
  if (kind === "sum" && monotonic) return "counter";
  return kind === "gauge" ? "gauge" : "other";
}
