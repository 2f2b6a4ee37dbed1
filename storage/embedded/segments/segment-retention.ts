import type { Labels } from "@sightline/model/labels.ts";
import type { Logger } from "@sightline/model/logger.ts";
import { compileMatchers, type Matcher } from "@sightline/model/matcher.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { Registry } from "prom-client";
import type { z } from "zod";
import { rowsRetentionOverride } from "../config.ts";
import { TenantOverrides } from "../retention/tenant-overrides.ts";
import type { Segment } from "./segment-directory.ts";

export type RowsRetentionConfig = {
  /** In ms, as everywhere here. */
  readonly retention: number;
  readonly retention_rules: readonly { readonly selector: readonly Matcher[]; readonly keep: number }[];
  readonly retention_overrides_file: string;
};

/** Rows of a segment that are kept equally long: those of a stream, or of a source. */
export type RowGroup = {
  readonly labels: Labels;
  /** Of its newest row, as far as it is known; else that of the segment. */
  readonly maxNs?: bigint | undefined;
};

type Policy = {
  readonly keepMs: number;
  readonly longestMs: number;
  /** The first one that matches decides instead of `keepMs`. */
  readonly rules: readonly { readonly matches: (labels: Labels) => boolean; readonly keepMs: number }[];
};
type Due = { readonly policy: Policy; readonly dueMs: number };

const NS_PER_MS = 1_000_000n;

/** How long the rows of each tenant are kept: by the settings of all, or by those the overrides file has of one. */
export class SegmentRetention {
  readonly #policies: TenantOverrides<Policy>;
  readonly #nowMs: () => number;
  /** When a segment has the first rows that are too old; found out once per policy. */
  readonly #due = new WeakMap<Segment, Due>();

  constructor(
    config: RowsRetentionConfig,
    options: {
      readonly signal: "logs" | "traces";
      readonly logger: Logger;
      readonly registry: Registry;
      readonly nowMs: () => number;
    },
  ) {
    const { signal, logger, registry, nowMs } = options;
    this.#nowMs = nowMs;
    this.#policies = new TenantOverrides({
      schema: rowsRetentionOverride,
      policyOf: (settings) => {
        const { retention, retention_rules } = settings as z.output<typeof rowsRetentionOverride>;
        return policyOf(retention ?? config.retention, retention_rules ?? config.retention_rules);
      },
      setting: `storage.${signal}.retention_overrides_file`,
      path: config.retention_overrides_file,
      metric: `sightline_${signal}_store_retention_reloads_total`,
      others: policyOf(config.retention, config.retention_rules),
      logger,
      registry,
    });
  }

  /** Throws `InvalidInputError` when the overrides file is wrong. */
  start(): Promise<void> {
    return this.#policies.start();
  }

  reload(): Promise<void> {
    return this.#policies.reload();
  }

  /** Older rows than this are kept of nothing. */
  longestMs(tenant: TenantId): number {
    return this.#policies.of(tenant).longestMs;
  }

  /** Tells groups of which no row is kept any more. */
  expiry({ info }: Segment): (group: RowGroup) => boolean {
    const policy = this.#policies.of(info.tenant);
    const nowMs = this.#nowMs();
    const oldest = new Map<number, bigint>();
    return ({ labels, maxNs = info.maxNs }) => {
      const keepMs = keepOf(policy, labels);
      const oldestNs = oldest.get(keepMs) ?? BigInt(Math.floor(nowMs - keepMs)) * NS_PER_MS;
      oldest.set(keepMs, oldestNs);
      return maxNs < oldestNs;
    };
  }

  /** Whether some rows of a segment may be too old; false when it was found out before that this is yet to come. */
  mayBeDue(segment: Segment): boolean {
    const policy = this.#policies.of(segment.info.tenant);
    if (policy.rules.length === 0) return false;
    const known = this.#due.get(segment);
    return known?.policy !== policy || known.dueMs <= this.#nowMs();
  }

  /** Remembers when the first of these groups will be too old. */
  remember(segment: Segment, groups: readonly RowGroup[]): void {
    const policy = this.#policies.of(segment.info.tenant);
    let dueMs = Number.POSITIVE_INFINITY;
    for (const { labels, maxNs = segment.info.maxNs } of groups) {
      dueMs = Math.min(dueMs, Number(maxNs / NS_PER_MS) + 1 + keepOf(policy, labels));
    }
    this.#due.set(segment, { policy, dueMs });
  }
}

function policyOf(keepMs: number, rules: RowsRetentionConfig["retention_rules"]): Policy {
  return {
    keepMs,
    longestMs: Math.max(keepMs, ...rules.map(({ keep }) => keep)),
    rules: rules.map(({ selector, keep }) => ({ matches: compileMatchers(selector), keepMs: keep })),
  };
}

function keepOf({ rules, keepMs }: Policy, labels: Labels): number {
  return rules.find(({ matches }) => matches(labels))?.keepMs ?? keepMs;
}
