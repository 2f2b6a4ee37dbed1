import type { Labels } from "@sightline/model/labels.ts";
import { compileMatchers, type Matcher } from "@sightline/model/matcher.ts";
import type { TenantId } from "@sightline/model/tenant.ts";

/** How long rows are kept, in ms. */
export type RetentionPolicy = {
  readonly keepMs: number;
  /** The first whose selector matches the labels of where a row comes from decides instead of `keepMs`. */
  readonly rules: readonly { readonly selector: readonly Matcher[]; readonly keep: number }[];
};

export interface RetentionPolicies {
  /** Those that have a policy of their own. */
  readonly tenants: readonly TenantId[];
  /** Of all other tenants. */
  readonly others: RetentionPolicy;
  of(tenant: TenantId): RetentionPolicy;
  /** Throws `InvalidInputError` when what they are read from is wrong. */
  start(): Promise<void>;
  /** Reads them again when that has changed. */
  reload(): Promise<void>;
}

export function samePolicyForAll(keepMs: number): RetentionPolicies {
  const others: RetentionPolicy = { keepMs, rules: [] };
  return { tenants: [], others, of: () => others, start: async () => {}, reload: async () => {} };
}

/** Nothing is kept longer by the policy. */
export function longestKeepMs({ keepMs, rules }: RetentionPolicy): number {
  return Math.max(keepMs, ...rules.map(({ keep }) => keep));
}

/** Nothing is kept longer by any of the policies. */
export function longestOfAllMs(policies: RetentionPolicies): number {
  return Math.max(
    longestKeepMs(policies.others),
    ...policies.tenants.map((tenant) => longestKeepMs(policies.of(tenant))),
  );
}

/** How long rows are kept that come from where these labels say. */
export function keepByLabels({ keepMs, rules }: RetentionPolicy): (labels: Labels) => number {
  const compiled = rules.map(({ selector, keep }) => ({ matches: compileMatchers(selector), keep }));
  return (labels) => compiled.find(({ matches }) => matches(labels))?.keep ?? keepMs;
}
