import { type RowSearch, rowQuery, SEARCH_OPTIONS } from "../rows/search-rows.ts";
import { hasOwn, type OwnValuesOptions, ownValues } from "./own-values.ts";

/** Records that have the same values of some labels by attributes of their own, and how a search finds them. */
export type OwnGroup = {
  readonly values: ReadonlyMap<string, string>;
  readonly must: readonly object[];
  readonly mustNot: readonly object[];
};

/** Each is a request, or some. */
const MAX_GROUPS = 250;
/** OpenSearch gives no more than 65,536, empty ones included. */
const MAX_BUCKETS = 20_000;

/** One of the ways in which a record can have a label, or not, by an attribute of its own. */
type Way = { readonly value: string | undefined; readonly query: object };
type Level = { readonly label: string; readonly ways: readonly Way[] };
type Buckets = { readonly buckets: readonly Bucket[] };
type Bucket = { readonly doc_count: number; readonly ways?: Buckets };
type Answer = {
  readonly hits: { readonly total: { readonly value: number } };
  readonly aggregations?: { readonly ways: Buckets };
};

/**
 * The records that the search finds, each in just one group. Undefined when that can't be said exactly (values that are long,
 * records with several attributes of one label), or there are too many values.
 */
export async function ownGroups(
  options: OwnValuesOptions,
  labels: readonly string[],
  search: RowSearch,
  signal: AbortSignal,
): Promise<readonly OwnGroup[] | undefined> {
  const levels: Level[] = [];
  let lacking = search;
  for (const label of labels) {
    const values = await ownValues(options, label, search, signal);
    if (!values) return undefined;
    if (values.size > 0) levels.push({ label, ways: waysOf(label, values) });
    else lacking = { ...lacking, mustNot: [...lacking.mustNot, hasOwn(label)] };
  }
  if (levels.length === 0) return [{ values: new Map(), must: lacking.must, mustNot: lacking.mustNot }];
  if (levels.reduce((product, { ways }) => product * ways.length, 1) > MAX_BUCKETS) return undefined;
  const { body } = await options.connection.send<Answer>(
    "count values",
    {
      method: "POST",
      path: `/${options.index}/_search`,
      query: SEARCH_OPTIONS,
      body: { size: 0, track_total_hits: true, query: rowQuery(lacking), aggs: aggregationOf(levels) },
    },
    signal,
  );
  const ways = body.aggregations?.ways;
  if (!ways) return [];
  const groups: OwnGroup[] = [];
  const root = { values: new Map(), must: lacking.must, mustNot: lacking.mustNot };
  return collect(groups, levels, { doc_count: body.hits.total.value, ways }, root) ? groups : undefined;
}

function waysOf(label: string, values: ReadonlyMap<string, string>): readonly Way[] {
  const has = hasOwn(label);
  return [
    { value: undefined, query: { bool: { must_not: [has] } } },
    ...Array.from(values, ([token, value]): Way => {
      return { value, query: { bool: { filter: [has, { term: { fields: token } }] } } };
    }),
  ];
}

function aggregationOf(levels: readonly Level[], depth = 0): object {
  const ways = levels[depth]?.ways;
  if (!ways) return {};
  const below = depth + 1 < levels.length ? { aggs: aggregationOf(levels, depth + 1) } : {};
  return { ways: { filters: { filters: ways.map(({ query }) => query) }, ...below } };
}

/** False when records are in several groups, or in none, or there are too many groups. */
function collect(
  groups: OwnGroup[],
  levels: readonly Level[],
  { doc_count, ways }: Bucket,
  group: OwnGroup,
  depth = 0,
): boolean {
  const level = levels[depth];
  if (!level) {
    groups.push(group);
    return groups.length <= MAX_GROUPS;
  }
  const buckets = ways?.buckets ?? [];
  if (buckets.reduce((sum, bucket) => sum + bucket.doc_count, 0) !== doc_count) return false;
  return buckets.every((bucket, i) => {
    const { value, query } = level.ways[i] as Way;
    if (bucket.doc_count === 0) return true;
    const values = value === undefined ? group.values : new Map([...group.values, [level.label, value]]);
    return collect(groups, levels, bucket, { ...group, values, must: [...group.must, query] }, depth + 1);
  });
}
