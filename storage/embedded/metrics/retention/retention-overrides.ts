import type { Logger } from "@sightline/model/logger.ts";
import type { Registry } from "prom-client";
import type { z } from "zod";
import { type EmbeddedMetricsConfig, type RetentionConfig, retentionOverride } from "../../config.ts";
import { type TenantFileFormat, TenantOverrides } from "../../retention/tenant-overrides.ts";
import { type RetentionPolicy, retentionPolicy } from "./retention-policy.ts";

export type RetentionOverridesOptions = {
  readonly config: EmbeddedMetricsConfig;
  readonly logger: Logger;
  readonly registry: Registry;
};

/** The policies of all tenants of the metric store. */
export function retentionOverrides({
  config,
  logger,
  registry,
}: RetentionOverridesOptions): TenantOverrides<RetentionPolicy> {
  return new TenantOverrides({
    ...retentionFormat(config),
    setting: "storage.metrics.retention_overrides_file",
    path: config.retention_overrides_file,
    metric: "sightline_metric_store_retention_reloads_total",
    others: retentionPolicy(config),
    logger,
    registry,
  });
}

/** What a tenant does not say is as `defaults` have it. */
export function retentionFormat(defaults: RetentionConfig): TenantFileFormat<RetentionPolicy> {
  const policyOf = (settings: unknown) => {
    const { retention, retention_bytes, retention_rules, downsampling } = settings as z.output<
      typeof retentionOverride
    >;
    return retentionPolicy({
      retention: retention ?? defaults.retention,
      retention_bytes: retention_bytes ?? defaults.retention_bytes,
      retention_rules: retention_rules ?? defaults.retention_rules,
      downsampling: downsampling ?? defaults.downsampling,
    });
  };
  return { schema: retentionOverride, policyOf };
}
