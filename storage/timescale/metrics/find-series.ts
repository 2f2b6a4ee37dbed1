import { setImmediate as nextTurn } from "node:timers/promises";
import { type Labels, METRIC_NAME } from "@sightline/model/labels.ts";
import { compileMatchers, type Matcher } from "@sightline/model/matcher.ts";
import type { SeriesInfo } from "@sightline/model/metric-batch.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { int8Array } from "../database/binary-array.ts";
import type { Client } from "../database/database.ts";
import { dayOf } from "./days.ts";
import { bucketOf, idRange, nameHash, pairHash } from "./series-id.ts";
import { parseInfo, parseLabelPairs } from "./series-text.ts";

export type FoundSeries = {
  readonly id: bigint;
  readonly labels: Labels;
  readonly info: SeriesInfo;
  /** {@link HAS_SAMPLES} and {@link HAS_HISTOGRAMS}: what it may have. */
  readonly kinds: number;
};
/** What the database can decide with its indexes. A superset: the matchers are applied again to what it finds. */
type Prefilter = {
  range: readonly [bigint, bigint] | undefined;
  readonly must: bigint[];
  some: readonly bigint[] | undefined;
  readonly texts: string[];
};
const ROWS_PER_TURN = 2_000;
/** Beyond this an index look-up per value is no gain. */
const MAX_SOME = 200;
const ANY_DAY = [-(2 ** 31), 2 ** 31 - 1] as const;

/**
 * The series of the tenant (that of `app.tenant`) that meet all matchers and may have samples in the range; `range` undefined:
 * also those that have none. Throws `InvalidInputError` for a regular expression that is none.
 */
export async function findSeries(
  client: Client,
  tenant: TenantId,
  matchers: readonly Matcher[],
  range: TimeRange | undefined,
  signal: AbortSignal,
): Promise<FoundSeries[]> {
  const matches = compileMatchers(matchers);
  const prefilter = prefilterOf(tenant, matchers);
  const [first, last] = range ? [dayOf(range.startMs), dayOf(range.endMs)] : ANY_DAY;
  const { rows } = await client.query({
    text: "SELECT id, labels, info, kinds FROM tenant_series($1, $2, $3, $4, $5, $6, $7)",
    values: [
      prefilter.range?.[0].toString() ?? null,
      prefilter.range?.[1].toString() ?? null,
      prefilter.must.length > 0 ? int8Array(prefilter.must) : null,
      prefilter.some ? int8Array(prefilter.some) : null,
      prefilter.texts.length > 0 ? prefilter.texts : null,
      first,
      last,
    ],
    rowMode: "array",
  });
  const found: FoundSeries[] = [];
  const infos = new Map<string, SeriesInfo>();
  for (const [i, row] of rows.entries()) {
    if (i % ROWS_PER_TURN === ROWS_PER_TURN - 1) {
      await nextTurn();
      signal.throwIfAborted();
    }
    const [id, text, info, kinds] = row as unknown as [string, string, string, number];
    const labels = parseLabelPairs(text);
    if (!matches(labels)) continue;
    let shared = infos.get(info);
    if (!shared) {
      shared = parseInfo(info);
      infos.set(info, shared);
    }
    found.push({ id: BigInt(id), labels, info: shared, kinds });
  }
  return found;
}

function prefilterOf(tenant: TenantId, matchers: readonly Matcher[]): Prefilter {
  const prefilter: Prefilter = { range: undefined, must: [], some: undefined, texts: [] };
  for (const matcher of matchers) {
    const { name, op, value } = matcher;
    if (op === "=" && name === METRIC_NAME) prefilter.range = idRange(bucketOf(tenant, value));
    else if (op === "=" && value !== "") prefilter.must.push(pairHash(tenant, [name, value]));
    else if (op === "!=" && value === "") prefilter.must.push(nameHash(tenant, name));
    else if (op === "!~" && compileRegex(value).matchesWhole("")) prefilter.must.push(nameHash(tenant, name));
    else if (op === "=~") addRegex(prefilter, tenant, matcher);
  }
  return prefilter;
}

function addRegex(prefilter: Prefilter, tenant: TenantId, { name, value }: Matcher): void {
  const regex = compileRegex(value);
  if (regex.matchesWhole("")) return;
  prefilter.must.push(nameHash(tenant, name));
  const { literals } = regex;
  if (literals) {
    const isShorter = literals.length < (prefilter.some?.length ?? MAX_SOME);
    if (isShorter) prefilter.some = literals.map((literal) => pairHash(tenant, [name, literal]));
    return;
  }
  const prefix = literalPrefix(value);
  // How the JSON of labels begins a pair.
  if (prefix !== "") prefilter.texts.push(JSON.stringify([name, prefix]).slice(0, -2));
}

/** What every match of the expression begins with; "" when that is not plain to see. */
export function literalPrefix(source: string): string {
  if (source.includes("|")) return "";
  const prefix = /^[A-Za-z0-9_:/ -]*/.exec(source)?.[0] ?? "";
  return /^[*?{]/.test(source.slice(prefix.length)) ? prefix.slice(0, -1) : prefix;
}
