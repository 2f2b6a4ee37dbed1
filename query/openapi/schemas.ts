import { z } from "zod";

/** What the endpoints answer, as schemas that describe and check it. */

/** Seconds since the epoch, and the value as text, because JSON has no infinities. */
const point = z.tuple([z.number(), z.string()]);
const bucket = z.tuple([z.int().min(0).max(3), z.string(), z.string(), z.string()]);
const histogramPoint = z.tuple([
  z.number(),
  z.object({ count: z.string(), sum: z.string(), buckets: z.array(bucket).optional() }),
]);
const labels = z.record(z.string(), z.string());
const countsByStep = z
  .array(z.tuple([z.number(), z.number()]))
  .describe("[seconds, samples] of each step; with stats=all");
const stats = z.object({
  timings: z.record(z.string(), z.number()),
  samples: z.object({
    totalQueryableSamplesPerStep: countsByStep.optional(),
    totalQueryableSamples: z.number(),
    samplesReadPerStep: countsByStep.optional(),
    samplesRead: z.number(),
    peakSamples: z.number(),
  }),
});
const vectorSample = z.object({ metric: labels, value: point.optional(), histogram: histogramPoint.optional() });
const matrixSeries = z.object({
  metric: labels,
  values: z.array(point).optional(),
  histograms: z.array(histogramPoint).optional(),
});

export const queryData = z.union([
  z.object({ resultType: z.literal("scalar"), result: point, stats: stats.optional() }),
  z.object({ resultType: z.literal("string"), result: point, stats: stats.optional() }),
  z.object({ resultType: z.literal("vector"), result: z.array(vectorSample), stats: stats.optional() }),
  z.object({ resultType: z.literal("matrix"), result: z.array(matrixSeries), stats: stats.optional() }),
]);
export const texts = z.array(z.string());
export const text = z.string();
export const series = z.array(labels);
export const anyObject = z.record(z.string(), z.unknown());
export const exemplars = z.array(
  z.object({
    seriesLabels: labels,
    exemplars: z.array(z.object({ labels, value: z.string(), timestamp: z.number() })),
  }),
);
const metadata = z.object({ type: z.string(), unit: z.string(), help: z.string() });
export const metricMetadata = z.record(z.string(), z.array(metadata));
export const rules = z.object({ groups: z.array(anyObject), groupNextToken: z.string().optional() });
export const alerts = z.object({ alerts: z.array(anyObject) });
export const alertmanagers = z.object({
  activeAlertmanagers: z.array(anyObject),
  droppedAlertmanagers: z.array(anyObject),
});
export const targets = z.object({
  activeTargets: z.array(anyObject),
  droppedTargets: z.array(anyObject),
  droppedTargetCounts: z.record(z.string(), z.number()).nullable(),
});
export const targetMetadata = z.array(anyObject);
export const scrapePools = z.object({ scrapePools: texts });
export const buildInfo = z.object({
  version: z.string(),
  revision: z.string(),
  branch: z.string(),
  buildUser: z.string(),
  buildDate: z.string(),
  goVersion: z.string(),
  application: z.string(),
});
export const config = z.object({ yaml: z.string() });
export const flags = z.record(z.string(), z.string());
export const runtimeInfo = z.object({
  startTime: z.string(),
  CWD: z.string(),
  hostname: z.string(),
  serverTime: z.string(),
  reloadConfigSuccess: z.boolean(),
  lastConfigTime: z.string(),
  corruptionCount: z.number(),
  goroutineCount: z.number(),
  GOMAXPROCS: z.number(),
  GOMEMLIMIT: z.number(),
  GOGC: z.string(),
  GODEBUG: z.string(),
  storageRetention: z.string(),
});
export const walReplay = z.object({ min: z.number(), max: z.number(), current: z.number() });
export const features = z.record(z.string(), z.record(z.string(), z.boolean()));
const counts = z.array(z.object({ name: z.string(), value: z.number() }));
export const tsdbStatus = z.object({
  headStats: z.object({
    numSeries: z.number(),
    numLabelPairs: z.number(),
    chunkCount: z.number(),
    minTime: z.number(),
    maxTime: z.number(),
  }),
  seriesCountByMetricName: counts,
  labelValueCountByLabelName: counts,
  memoryInBytesByLabelName: counts,
  seriesCountByLabelValuePair: counts,
});
export const churn = z.object({
  windowSeconds: z.number(),
  kept: z.number(),
  added: z.number(),
  ended: z.number(),
  seriesChurnByMetricName: z.array(z.object({ name: z.string(), added: z.number(), ended: z.number() })),
});
export const snapshot = z.object({ name: z.string() });
export const activeQueries = z.object({
  queries: z.array(
    z.object({
      id: z.int(),
      state: z.enum(["waiting", "running"]),
      route: z.string(),
      query: z.string(),
      parameters: z.record(z.string(), z.string()),
      clientIP: z.string(),
      startTime: z.string(),
      elapsedSeconds: z.number(),
    }),
  ),
});
export const topQueries = z.object({
  queries: z.array(
    z.object({
      route: z.string(),
      query: z.string(),
      count: z.int(),
      errors: z.int(),
      totalSeconds: z.number(),
      maxSeconds: z.number(),
      samples: z.number(),
      peakSamples: z.number(),
      cachedSteps: z.number(),
      lastTime: z.string(),
    }),
  ),
});

const values = z.array(z.object({ value: z.string(), count: z.int() }));
const numeric = z.object({
  min: z.number(),
  max: z.number(),
  mean: z.number(),
  buckets: z.array(z.object({ from: z.number(), to: z.number(), count: z.int() })),
});
const facet = z.object({
  name: z.string(),
  scope: z.enum(["record", "span", "resource", "scope", "label", "field", "parsed"]),
  label: z.string().optional(),
  types: z.array(z.enum(["string", "int", "double", "bool", "bytes", "json"])),
  count: z.int(),
  distinct: z.int(),
  isDistinctExact: z.boolean(),
});
export const logFacets = z.object({
  records: z.int(),
  isComplete: z.boolean(),
  facets: z.array(facet.extend({ values, numeric: numeric.optional() })),
});
export const attributes = z.object({
  signal: z.enum(["logs", "traces", "metrics"]),
  items: z.int(),
  isComplete: z.boolean(),
  attributes: z.array(facet.extend({ values: values.optional(), numeric: numeric.optional() })),
});
export const logHistogram = z.object({
  startMs: z.int(),
  stepMs: z.int(),
  total: z.int(),
  levels: z.array(z.object({ level: z.string(), total: z.int(), counts: z.array(z.int()) })),
});
const logEntry = z.object({
  timeNs: z.string(),
  line: z.string(),
  stream: labels,
  metadata: labels,
  parsed: labels,
});
export const logContext = z.object({
  scope: z.enum(["stream", "service", "host"]),
  query: z.string(),
  before: z.array(logEntry),
  at: z.array(logEntry),
  after: z.array(logEntry),
});
export const changedPatterns = z.object({
  isComplete: z.boolean(),
  patterns: z.array(
    z.object({
      pattern: z.string(),
      level: z.string(),
      change: z.enum(["new", "gone", "more", "less", "same"]),
      count: z.int(),
      baselineCount: z.int(),
      share: z.number(),
      baselineShare: z.number(),
      ratio: z.number().nullable(),
    }),
  ),
});

export const failure = z.object({
  status: z.literal("error"),
  errorType: z.enum([
    "bad_data",
    "execution",
    "timeout",
    "canceled",
    "unavailable",
    "internal",
    "not_found",
    "unauthorized",
  ]),
  error: z.string(),
});

/** The envelope of a success. */
export function success(data: z.ZodType): z.ZodType {
  return z.object({
    status: z.literal("success"),
    data,
    warnings: texts.optional(),
    infos: texts.optional(),
  });
}
