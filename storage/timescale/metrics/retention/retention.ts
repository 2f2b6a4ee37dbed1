import { createHash } from "node:crypto";
import type { Tier } from "@sightline/model/downsampling/tiers.ts";
import type { Labels } from "@sightline/model/labels.ts";
import { compileMatchers } from "@sightline/model/matcher.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import type { RetentionOverride, TimescaleMetricsConfig } from "../../config.ts";
import { MINUTE_MS, type MinuteRange, minuteOf } from "../minute-ranges.ts";

export type RetentionConfig = Pick<
  TimescaleMetricsConfig,
  "retention" | "tenant_retention" | "retention_rules" | "downsampling"
>;
/** What is said of single tenants beside the configuration, and may change. */
export interface RetentionOverrides {
  /** Those of which something is said. */
  readonly tenants: readonly TenantId[];
  /** The same object until it changes. */
  of(tenant: TenantId): RetentionOverride;
  /** Throws `InvalidInputError` when what they are read from is wrong. */
  start(): Promise<void>;
  /** Reads them again when that has changed. */
  reload(): Promise<void>;
}
type Rule = { readonly matches: (labels: Labels) => boolean; readonly keepMs: number };

/** How long the samples of one tenant are kept, in ms, and how finely. */
export class RetentionPolicy {
  readonly #keepMs: number;
  readonly #rules: readonly Rule[];
  /** Every one, in no order. */
  readonly all: readonly number[];
  readonly longestMs: number;
  readonly shortestMs: number;
  /** Differs between policies. */
  readonly fingerprint: string;
  /** None: samples stay as they came. */
  readonly tiers: readonly Tier[];

  constructor({ retention: keepMs, retention_rules: rules, downsampling }: Omit<RetentionConfig, "tenant_retention">) {
    this.#keepMs = keepMs;
    this.tiers = downsampling;
    this.#rules = rules.map(({ selector, keep }) => ({ matches: compileMatchers(selector), keepMs: keep }));
    this.all = [...new Set([keepMs, ...rules.map(({ keep }) => keep)])];
    this.longestMs = Math.max(...this.all);
    this.shortestMs = Math.min(...this.all);
    const text = JSON.stringify([keepMs, rules]);
    this.fingerprint = createHash("sha256").update(text).digest("hex").slice(0, 16);
  }

  /** The first rule whose selector a series meets decides. */
  keepMs(labels: Labels): number {
    return this.#rules.find(({ matches }) => matches(labels))?.keepMs ?? this.#keepMs;
  }
}

/** Nothing is said of any tenant. */
export const NO_OVERRIDES: RetentionOverrides = {
  tenants: [],
  of: () => NOTHING,
  start: async () => {},
  reload: async () => {},
};
const NOTHING: RetentionOverride = {};

/**
 * What is too old. Reads are limited to what is kept, whether or not the tables still have more. Time passes in steps of a minute;
 * the version of a tenant's data has it, so that what was made of samples follows exactly.
 */
export class Retention {
  readonly #config: RetentionConfig;
  readonly #overrides: RetentionOverrides;
  readonly #nowMs: () => number;
  readonly #others: RetentionPolicy;
  /** Of tenants with settings of their own, with what they were made of. */
  readonly #policies = new Map<TenantId, { readonly own: RetentionOverride; readonly policy: RetentionPolicy }>();

  constructor(config: RetentionConfig, overrides: RetentionOverrides, nowMs: () => number) {
    this.#config = config;
    this.#overrides = overrides;
    this.#nowMs = nowMs;
    this.#others = new RetentionPolicy(config);
  }

  get nowMs(): number {
    return Math.floor(this.#nowMs() / MINUTE_MS) * MINUTE_MS;
  }

  /** Of any tenant and series: what is older is nobody's any more. */
  get longestMs(): number {
    return Math.max(...this.#all().map(({ longestMs }) => longestMs));
  }

  /** Whether tenants or series differ in how long they are kept. */
  get hasExceptions(): boolean {
    const { longestMs } = this;
    return this.#all().some(({ shortestMs }) => shortestMs < longestMs);
  }

  get hasTiers(): boolean {
    return this.#all().some(({ tiers }) => tiers.length > 0);
  }

  /** The same object until the tenant's settings change. */
  of(tenant: TenantId): RetentionPolicy {
    const { tenant_retention, retention, retention_rules, downsampling } = this.#config;
    const own = this.#overrides.of(tenant);
    const isOwn = Object.hasOwn(tenant_retention, tenant) || Object.keys(own).length > 0;
    if (!isOwn) return this.#others;
    const known = this.#policies.get(tenant);
    if (known?.own === own) return known.policy;
    const policy = new RetentionPolicy({
      retention: own.retention ?? tenant_retention[tenant] ?? retention,
      retention_rules: own.retention_rules ?? retention_rules,
      downsampling: own.downsampling ?? downsampling,
    });
    this.#policies.set(tenant, { own, policy });
    return policy;
  }

  #all(): RetentionPolicy[] {
    const named = [...Object.keys(this.#config.tenant_retention), ...this.#overrides.tenants] as TenantId[];
    return [this.#others, ...named.map((tenant) => this.of(tenant))];
  }

  /** The part of a range in which a tenant may have samples. */
  visible(tenant: TenantId, { startMs, endMs }: TimeRange): TimeRange {
    return { startMs: Math.max(startMs, this.nowMs - this.of(tenant).longestMs), endMs };
  }

  /** Whether all of the range is older than anything that is kept. It may end before it begins, as clients ask for labels. */
  isOver(tenant: TenantId, { startMs, endMs }: TimeRange): boolean {
    return Math.max(startMs, endMs) < this.nowMs - this.of(tenant).longestMs;
  }

  /** From when on a series is kept, by its labels; undefined: that is so for all of `range`, whatever the series. */
  keptFrom(tenant: TenantId, { startMs }: TimeRange): ((labels: Labels) => number) | undefined {
    const [policy, { nowMs }] = [this.of(tenant), this];
    if (startMs >= nowMs - policy.shortestMs) return undefined;
    return (labels) => nowMs - policy.keepMs(labels);
  }

  /** What {@link hiddenSince} is asked with. */
  version(tenant: TenantId): string {
    return `${this.nowMs / MINUTE_MS}-${this.of(tenant).fingerprint}`;
  }

  /** Minutes whose samples may not be kept any more, of some series; undefined: it was another policy then. */
  hiddenSince(tenant: TenantId, version: string): MinuteRange[] | undefined {
    const policy = this.of(tenant);
    const [minute, fingerprint] = version.split("-");
    if (fingerprint !== policy.fingerprint) return undefined;
    const thenMs = Number(minute) * MINUTE_MS;
    const { nowMs } = this;
    if (thenMs >= nowMs) return [];
    return policy.all.map((keepMs) => ({ first: minuteOf(thenMs - keepMs), last: minuteOf(nowMs - keepMs - 1) }));
  }
}
