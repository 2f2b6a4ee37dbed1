import { readFile } from "node:fs/promises";
import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import { type TenantId, tenantId } from "@sightline/model/tenant.ts";
import { Counter, type Registry } from "prom-client";
import { parse } from "yaml";
import { type EmbeddedMetricsConfig, type RetentionConfig, retentionOverride } from "../../config.ts";
import { type RetentionPolicy, retentionPolicy } from "./retention-policy.ts";

const MAX_BYTES = 4 * 1024 * 1024;

export type RetentionOverridesOptions = {
  readonly config: EmbeddedMetricsConfig;
  readonly logger: Logger;
  readonly registry: Registry;
};

/**
 * The policy of every tenant: the settings of all, or what the overrides file says of one. The file is read at the start,
 * when a mistake in it is an error, and by {@link RetentionOverrides.reload} when its text has changed; then a mistake is
 * logged and counted, and what was valid before stays.
 */
export class RetentionOverrides {
  readonly #options: RetentionOverridesOptions;
  readonly #reloads: Counter<"outcome">;
  readonly #default: RetentionPolicy;
  #byTenant: ReadonlyMap<TenantId, RetentionPolicy> = new Map();
  #text: string | undefined;
  #failure: string | undefined;

  constructor(options: RetentionOverridesOptions) {
    this.#options = options;
    this.#default = retentionPolicy(options.config);
    this.#reloads = new Counter({
      name: "sightline_metric_store_retention_reloads_total",
      help: "Times a changed storage.metrics.retention_overrides_file was read, by outcome: ok or failed.",
      labelNames: ["outcome"],
      registers: [options.registry],
    });
  }

  /** The same object until it changes. */
  of(tenant: TenantId): RetentionPolicy {
    return this.#byTenant.get(tenant) ?? this.#default;
  }

  /** Throws {@link InvalidInputError} that names what is wrong. */
  async start(): Promise<void> {
    if (this.#options.config.retention_overrides_file === "") return;
    this.#take(await this.#read());
  }

  async reload(): Promise<void> {
    const { logger, config } = this.#options;
    const file = config.retention_overrides_file;
    if (file === "") return;
    let text: string | undefined;
    try {
      text = await this.#read();
      if (text === this.#text) return;
      this.#take(text);
      this.#reloads.inc({ outcome: "ok" });
      logger.info("the retention of tenants was reloaded", { file });
    } catch (error) {
      const failure = text ?? String(error);
      if (failure === this.#failure) return;
      this.#failure = failure;
      this.#reloads.inc({ outcome: "failed" });
      logger.error("storage.metrics.retention_overrides_file is wrong; what was valid before stays in use", {
        file,
        error,
      });
    }
  }

  async #read(): Promise<string> {
    const path = this.#options.config.retention_overrides_file;
    try {
      const text = await readFile(path, "utf8");
      if (text.length <= MAX_BYTES) return text;
    } catch (cause) {
      throw new InvalidInputError(`storage.metrics.retention_overrides_file: ${(cause as Error).message}`, { cause });
    }
    throw new InvalidInputError(`storage.metrics.retention_overrides_file: ${path} is above ${MAX_BYTES} bytes`);
  }

  #take(text: string): void {
    const { config } = this.#options;
    this.#byTenant = parseRetentionOverrides(text, config, config.retention_overrides_file);
    this.#text = text;
    this.#failure = undefined;
  }
}

/** Throws {@link InvalidInputError} with a line per mistake: tenant, key, what is wrong. */
export function parseRetentionOverrides(
  text: string,
  defaults: RetentionConfig,
  path: string,
): ReadonlyMap<TenantId, RetentionPolicy> {
  let value: unknown;
  try {
    value = parse(text) ?? {};
  } catch (cause) {
    throw new InvalidInputError(`${path}: ${(cause as Error).message}`, { cause });
  }
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new InvalidInputError(
      `${path}: must be a map of tenants to retention, retention_bytes, retention_rules, downsampling`,
    );
  }
  const policies = new Map<TenantId, RetentionPolicy>();
  const mistakes: string[] = [];
  for (const [name, settings] of Object.entries(value as Record<string, unknown>)) {
    const result = retentionOverride.safeParse(settings ?? {});
    if (result.success) {
      const { retention, retention_bytes, retention_rules, downsampling } = result.data;
      const own = {
        retention: retention ?? defaults.retention,
        retention_bytes: retention_bytes ?? defaults.retention_bytes,
        retention_rules: retention_rules ?? defaults.retention_rules,
        downsampling: downsampling ?? defaults.downsampling,
      };
      policies.set(tenantId(name), retentionPolicy(own));
    } else
      mistakes.push(
        ...result.error.issues.map((issue) => `${[name, ...issue.path].map(String).join(".")}: ${issue.message}`),
      );
  }
  if (mistakes.length > 0) throw new InvalidInputError(`${path}:\n  ${mistakes.join("\n  ")}`);
  return policies;
}
