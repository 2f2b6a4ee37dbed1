import type { Tier } from "@sightline/model/downsampling/tiers.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { RetentionConfig } from "../../config.ts";

/** How long the samples of one tenant are kept, and how finely. */
export type RetentionPolicy = {
  readonly keepMs: number;
  /** Of block files; 0: any number. */
  readonly maxBytes: number;
  /** The first whose matchers a series meets decides instead of `keepMs`. */
  readonly rules: readonly { readonly matchers: readonly Matcher[]; readonly keepMs: number }[];
  /** Ascending; none: samples stay as they came. */
  readonly tiers: readonly Tier[];
};

export function retentionPolicy(config: RetentionConfig): RetentionPolicy {
  const { retention, retention_bytes, retention_rules, downsampling } = config;
  const rules = retention_rules.map(({ selector, keep }) => ({ matchers: selector, keepMs: keep }));
  return { keepMs: retention, maxBytes: retention_bytes, rules, tiers: downsampling };
}

export function longestKeepMs({ keepMs, rules }: RetentionPolicy): number {
  return Math.max(keepMs, ...rules.map((rule) => rule.keepMs));
}

export function shortestKeepMs({ keepMs, rules }: RetentionPolicy): number {
  return Math.min(keepMs, ...rules.map((rule) => rule.keepMs));
}
