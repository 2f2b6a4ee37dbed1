import { createHash } from "node:crypto";
import type { Labels } from "@sightline/model/labels.ts";
import { compileMatchers } from "@sightline/model/matcher.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import type { TimescaleMetricsConfig } from "../../config.ts";
import { MINUTE_MS, type MinuteRange, minuteOf } from "../stored-changes.ts";

export type RetentionConfig = Pick<TimescaleMetricsConfig, "retention" | "tenant_retention" | "retention_rules">;
type Rule = { readonly matches: (labels: Labels) => boolean; readonly keepMs: number };

/** How long the samples of one tenant are kept, in ms. */
export class RetentionPolicy {
  readonly #keepMs: number;
  readonly #rules: readonly Rule[];
  /** Every one, in no order. */
  readonly all: readonly number[];
  readonly longestMs: number;
  readonly shortestMs: number;
  /** Differs between policies. */
  readonly fingerprint: string;

  constructor(keepMs: number, rules: RetentionConfig["retention_rules"]) {
    this.#keepMs = keepMs;
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

/**
 * What is too old. Reads are limited to what is kept, whether or not the tables still have more. Time passes in steps of a minute;
 * the version of a tenant's data has it, so that what was made of samples follows exactly.
 */
export class Retention {
  readonly #config: RetentionConfig;
  readonly #nowMs: () => number;
  readonly #others: RetentionPolicy;
  readonly #policies: ReadonlyMap<TenantId, RetentionPolicy>;
  /** Of any tenant and series: what is older is nobody's any more. */
  readonly longestMs: number;

  constructor(config: RetentionConfig, nowMs: () => number) {
    this.#config = config;
    this.#nowMs = nowMs;
    const policyOf = (keepMs: number) => new RetentionPolicy(keepMs, config.retention_rules);
    this.#others = policyOf(config.retention);
    const entries = Object.entries(config.tenant_retention);
    this.#policies = new Map(entries.map(([tenant, keepMs]) => [tenant as TenantId, policyOf(keepMs)]));
    this.longestMs = Math.max(this.#others.longestMs, ...[...this.#policies.values()].map((one) => one.longestMs));
  }

  get nowMs(): number {
    return Math.floor(this.#nowMs() / MINUTE_MS) * MINUTE_MS;
  }

  /** Whether tenants or series differ in how long they are kept. */
  get hasExceptions(): boolean {
    return this.#policies.size > 0 || this.#config.retention_rules.length > 0;
  }

  of(tenant: TenantId): RetentionPolicy {
    return this.#policies.get(tenant) ?? this.#others;
  }

  /** The part of a range in which a tenant may have samples. */
  visible(tenant: TenantId, { startMs, endMs }: TimeRange): TimeRange {
    return { startMs: Math.max(startMs, this.nowMs - this.of(tenant).longestMs), endMs };
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
