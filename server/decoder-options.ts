import type { CollectorConfig } from "@sightline/collector/config.ts";
import type { DecoderOptions } from "@sightline/proto/decoder.ts";
import { DEFAULT_OTLP_METRICS_OPTIONS } from "@sightline/proto/otlp/metrics/translation.ts";

/** Series whose label bytes are remembered, about one kilobyte each. */
const MAX_SERIES_INTERNED = 1_000_000;

/** The decoder's part of the section `collector`. */
export function decoderOptions({ limits, otlp }: CollectorConfig): DecoderOptions {
  return {
    maxDecompressedBytes: limits.max_decompressed_bytes,
    maxDepth: limits.max_depth,
    maxSeriesInterned: MAX_SERIES_INTERNED,
    otlpMetrics: {
      ...DEFAULT_OTLP_METRICS_OPTIONS,
      translationStrategy: otlp.translation_strategy,
      promoteResourceAttributes: otlp.promote_resource_attributes,
      promoteScopeMetadata: otlp.promote_scope_metadata,
    },
  };
}
