/** How OpenTelemetry names become metric and label names; the names of the strategies are Prometheus' own. */
export const TRANSLATION_STRATEGIES = [
  "UnderscoreEscapingWithSuffixes",
  "NoUTF8EscapingWithSuffixes",
  "UnderscoreEscapingWithoutSuffixes",
  "NoTranslation",
] as const;
export type TranslationStrategy = (typeof TRANSLATION_STRATEGIES)[number];

/** As `otlp:` in Prometheus' configuration file. */
export type OtlpMetricsOptions = {
  readonly translationStrategy: TranslationStrategy;
  /** Resource attributes, by their original names, that become labels of every series of the resource. */
  readonly promoteResourceAttributes: readonly string[];
  /** Promotes all of them but {@link ignoreResourceAttributes}. */
  readonly promoteAllResourceAttributes: boolean;
  readonly ignoreResourceAttributes: readonly string[];
  /** Whether `target_info` has `service_name` and the like beside `job` and `instance`. */
  readonly keepIdentifyingResourceAttributes: boolean;
  /** Whether series get `otel_scope_name` and the other labels of the scope. */
  readonly promoteScopeMetadata: boolean;
};

export const DEFAULT_OTLP_METRICS_OPTIONS: OtlpMetricsOptions = {
  translationStrategy: "UnderscoreEscapingWithSuffixes",
  promoteResourceAttributes: [],
  promoteAllResourceAttributes: false,
  ignoreResourceAttributes: [],
  keepIdentifyingResourceAttributes: false,
  promoteScopeMetadata: true,
};

/** Whether names are limited to letters, digits and underscores. */
export function escapes(strategy: TranslationStrategy): boolean {
  return strategy === "UnderscoreEscapingWithSuffixes" || strategy === "UnderscoreEscapingWithoutSuffixes";
}

/** Whether units and types are appended to metric names. */
export function addsSuffixes(strategy: TranslationStrategy): boolean {
  return strategy === "UnderscoreEscapingWithSuffixes" || strategy === "NoUTF8EscapingWithSuffixes";
}
