import { readFile } from "node:fs/promises";
import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import { type TenantId, tenantId } from "@sightline/model/tenant.ts";
import { Counter, type Registry } from "prom-client";
import { parse } from "yaml";
import type { z } from "zod";

const MAX_BYTES = 4 * 1024 * 1024;

/** What the file says of each tenant, and what becomes of it. */
export type TenantFileFormat<Policy> = {
  /** Of one tenant's settings. */
  readonly schema: z.ZodType;
  /** Of settings that met the schema. */
  readonly policyOf: (settings: unknown) => Policy;
};

export type TenantOverridesOptions<Policy> = TenantFileFormat<Policy> & {
  /** Where the path is set: `storage.metrics.retention_overrides_file`. */
  readonly setting: string;
  /** Path of the file; "": there is none. */
  readonly path: string;
  /** Of the counter of reloads. */
  readonly metric: string;
  /** Of tenants that the file does not name. */
  readonly others: Policy;
  readonly logger: Logger;
  readonly registry: Registry;
};

/**
 * The policy of every tenant: that of all, or what the overrides file says of one. The file is read at the start, when a
 * mistake in it is an error, and by {@link TenantOverrides.reload} when its text has changed; then a mistake is logged and
 * counted, and what was valid before stays.
 */
export class TenantOverrides<Policy> {
  readonly #options: TenantOverridesOptions<Policy>;
  readonly #reloads: Counter<"outcome">;
  #byTenant: ReadonlyMap<TenantId, Policy> = new Map();
  #text: string | undefined;
  #failure: string | undefined;

  constructor(options: TenantOverridesOptions<Policy>) {
    this.#options = options;
    this.#reloads = new Counter({
      name: options.metric,
      help: `Times a changed ${options.setting} was read, by outcome: ok or failed.`,
      labelNames: ["outcome"],
      registers: [options.registry],
    });
  }

  /** Those that the file names. */
  get tenants(): readonly TenantId[] {
    return [...this.#byTenant.keys()];
  }

  /** Of all others. */
  get others(): Policy {
    return this.#options.others;
  }

  /** The same object until it changes. */
  of(tenant: TenantId): Policy {
    return this.#byTenant.get(tenant) ?? this.#options.others;
  }

  /** Throws {@link InvalidInputError} that names what is wrong. */
  async start(): Promise<void> {
    if (this.#options.path !== "") this.#take(await this.#read());
  }

  async reload(): Promise<void> {
    const { logger, path, setting } = this.#options;
    if (path === "") return;
    let text: string | undefined;
    try {
      text = await this.#read();
      if (text === this.#text) return;
      this.#take(text);
      this.#reloads.inc({ outcome: "ok" });
      logger.info("the retention of tenants was reloaded", { file: path });
    } catch (error) {
      const failure = text ?? String(error);
      if (failure === this.#failure) return;
      this.#failure = failure;
      this.#reloads.inc({ outcome: "failed" });
      logger.error(`${setting} is wrong; what was valid before stays in use`, { file: path, error });
    }
  }

  async #read(): Promise<string> {
    const { path, setting } = this.#options;
    try {
      const text = await readFile(path, "utf8");
      if (text.length <= MAX_BYTES) return text;
    } catch (cause) {
      throw new InvalidInputError(`${setting}: ${(cause as Error).message}`, { cause });
    }
    throw new InvalidInputError(`${setting}: ${path} is above ${MAX_BYTES} bytes`);
  }

  #take(text: string): void {
    this.#byTenant = parseTenantOverrides(text, this.#options.path, this.#options);
    this.#text = text;
    this.#failure = undefined;
  }
}

/** Throws {@link InvalidInputError} with a line per mistake: tenant, key, what is wrong. */
export function parseTenantOverrides<Policy>(
  text: string,
  path: string,
  { schema, policyOf }: TenantFileFormat<Policy>,
): ReadonlyMap<TenantId, Policy> {
  let value: unknown;
  try {
    value = parse(text) ?? {};
  } catch (cause) {
    throw new InvalidInputError(`${path}: ${(cause as Error).message}`, { cause });
  }
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new InvalidInputError(`${path}: must be a map of tenants to their retention`);
  }
  const policies = new Map<TenantId, Policy>();
  const mistakes: string[] = [];
  for (const [name, settings] of Object.entries(value as Record<string, unknown>)) {
    const result = schema.safeParse(settings ?? {});
    if (result.success) policies.set(tenantId(name), policyOf(result.data));
    else
      mistakes.push(
        ...result.error.issues.map((issue) => `${[name, ...issue.path].map(String).join(".")}: ${issue.message}`),
      );
  }
  if (mistakes.length > 0) throw new InvalidInputError(`${path}:\n  ${mistakes.join("\n  ")}`);
  return policies;
}
