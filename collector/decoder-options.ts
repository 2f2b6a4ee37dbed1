import type { DecoderOptions } from "@sightline/proto/decoder.ts";
import type { CollectorConfig } from "./config.ts";

/** What the section `collector` means to the decoder. */
export function decoderOptions({ limits, otlp }: CollectorConfig): DecoderOptions {
  return {
    maxDecompressedBytes: limits.max_decompressed_bytes,
    maxDepth: limits.max_depth,
    maxSeriesInterned: limits.max_series_interned,
    maxObjects: limits.max_request_objects,
    otlpMetrics: {
      translationStrategy: otlp.translation_strategy,
      promoteResourceAttributes: otlp.promote_resource_attributes,
      promoteAllResourceAttributes: otlp.promote_all_resource_attributes,
      ignoreResourceAttributes: otlp.ignore_resource_attributes,
      keepIdentifyingResourceAttributes: otlp.keep_identifying_resource_attributes,
      promoteScopeMetadata: otlp.promote_scope_metadata,
    },
  };
}
