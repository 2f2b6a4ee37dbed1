import { labelValue } from "@sightline/model/labels.ts";
import type { MetricBatch, SeriesKey } from "@sightline/model/metric-batch.ts";
import { positive } from "@sightline/settings/setting-types.ts";
import { z } from "zod";
import { withoutMetricRows } from "./keep-rows.ts";
import { RowSet } from "./row-set.ts";
import { SeriesMapper } from "./series-mapper.ts";
import { type Pair, SharedLeaders } from "./shared-leaders.ts";
import type { Pass, ProcessorContext, Stage } from "./stage.ts";
import type { Steps } from "./steps.ts";

/**
 * Of two Prometheus servers that scrape the same targets (external labels `cluster` and `__replica__`) one is listened
 * to; the other when that one has been silent for `failover_timeout_ms`. The replica label is taken off. Series that lack
 * one of the labels are kept as they are.
 *
 * Collectors that share something listen to the same one; who can't ask the others decides alone, by what it knew last.
 */
export const haDedupConfig = z.strictObject({
  kind: z.literal("ha_dedup"),
  cluster_label: z.string().min(1).default("cluster"),
  replica_label: z.string().min(1).default("__replica__"),
  failover_timeout_ms: positive.default(30_000),
  max_clusters: positive
    .max(100_000)
    .default(1_000)
    .describe("Clusters that are kept track of; the samples of more are kept from every replica"),
});

type Elected = { readonly replica: string; seenAtMs: number };
/** In a table of pairs: not looked at yet, and not one of a pair. */
const UNKNOWN = 0;
const NO_PAIR = 1;

export function haDedup(config: z.output<typeof haDedupConfig>, context: ProcessorContext): Stage<MetricBatch> {
  return new HaDedup(config, context);
}

class HaDedup implements Stage<MetricBatch> {
  readonly name = "ha_dedup";
  readonly #config: z.output<typeof haDedupConfig>;
  readonly #withoutReplica: SeriesMapper;
  readonly #leaders: SharedLeaders | undefined;
  readonly #elected = new Map<string, Elected>();
  #pairs: Pair[] = [];
  #pairNumbers = new Map<string, number>();
  /** By table of a decoder: the number of each series' pair + 2, or one of the constants. */
  #tables = new WeakMap<readonly SeriesKey[], Uint32Array>();

  constructor(config: z.output<typeof haDedupConfig>, { tenant, maxSeries, sharedLimits }: ProcessorContext) {
    this.#config = config;
    this.#leaders =
      sharedLimits &&
      new SharedLeaders({
        limits: sharedLimits,
        name: JSON.stringify([tenant, config.cluster_label, config.replica_label]),
        failoverMs: config.failover_timeout_ms,
        maxClusters: config.max_clusters,
      });
    const strip = {
      name: this.name,
      map: (labels: SeriesKey["labels"]) =>
        this.#pairOf(labels) ? labels.filter(([name]) => name !== config.replica_label) : labels,
    };
    this.#withoutReplica = new SeriesMapper([strip], maxSeries);
  }

  *decide(batch: MetricBatch, receivedAtMs: number): Steps<Uint8Array | undefined> {
    if (this.#pairs.length > MAX_PAIRS) this.#forgetPairs();
    const table = this.#tableOf(batch.series);
    const asked = this.#leaders?.learn(this.#pairsOf(batch, table));
    if (asked) yield asked;
    return this.#decide(batch, table, receivedAtMs);
  }

  #pairsOf(batch: MetricBatch, table: Uint32Array): readonly Pair[] {
    const pairs: Pair[] = [];
    const isSeen: boolean[] = [];
    const look = (ref: number) => {
      const number = (table[ref] as number) || this.#resolve(batch.series, ref, table);
      if (number === NO_PAIR || isSeen[number]) return;
      isSeen[number] = true;
      pairs.push(this.#pairs[number - 2] as Pair);
    };
    for (let row = 0; row < batch.length; row++) look(batch.refs[row] as number);
    for (const { ref } of batch.histograms) look(ref);
    return pairs;
  }

  #decide(batch: MetricBatch, table: Uint32Array, receivedAtMs: number): Uint8Array | undefined {
    const heard: (boolean | undefined)[] = [];
    const dropped = new RowSet(batch.length + batch.histograms.length);
    const decideRow = (row: number, ref: number) => {
      const pair = (table[ref] as number) || this.#resolve(batch.series, ref, table);
      if (pair === NO_PAIR) return;
      heard[pair] ??= this.#isHeard(this.#pairs[pair - 2] as Pair, receivedAtMs);
      if (!heard[pair]) dropped.add(row);
    };
    for (let row = 0; row < batch.length; row++) decideRow(row, batch.refs[row] as number);
    for (const [i, { ref }] of batch.histograms.entries()) decideRow(batch.length + i, ref);
    return dropped.size === 0 ? undefined : dropped.bytes;
  }

  apply(batch: MetricBatch, decision: Uint8Array | undefined, pass: Pass): MetricBatch {
    let kept = batch;
    if (decision) {
      const dropped = RowSet.from(decision);
      pass.drop(this.name, dropped.size);
      kept = withoutMetricRows(batch, dropped);
      // Those of the other replica are the same ones.
      const refs = new Set(kept.refs.subarray(0, kept.length));
      for (const { ref } of kept.histograms) refs.add(ref);
      kept = { ...kept, exemplars: kept.exemplars.filter(({ ref }) => refs.has(ref)) };
    }
    return this.#withoutReplica.apply(kept, undefined, pass);
  }

  /** Elects, keeps the elected one awake, or hears nobody else while it is. */
  #isHeard({ cluster, replica }: Pair, nowMs: number): boolean {
    const { failover_timeout_ms, max_clusters } = this.#config;
    const leader = this.#leaders?.leaderOf(cluster);
    if (leader) {
      // For the time when nobody can be asked.
      this.#elected.set(cluster, { replica: leader.replica, seenAtMs: nowMs - failover_timeout_ms + leader.leftMs });
      return leader.replica === replica;
    }
    const elected = this.#elected.get(cluster);
    if (elected?.replica === replica) {
      elected.seenAtMs = Math.max(elected.seenAtMs, nowMs);
      return true;
    }
    if (elected && nowMs - elected.seenAtMs <= failover_timeout_ms) return false;
    if (!elected && this.#elected.size >= max_clusters) return true;
    this.#elected.set(cluster, { replica, seenAtMs: nowMs });
    return true;
  }

  #pairOf(labels: SeriesKey["labels"]): Pair | undefined {
    const cluster = labelValue(labels, this.#config.cluster_label);
    const replica = labelValue(labels, this.#config.replica_label);
    return cluster !== "" && replica !== "" ? { cluster, replica } : undefined;
  }

  #resolve(series: readonly SeriesKey[], ref: number, table: Uint32Array): number {
    const pair = this.#pairOf((series[ref] as SeriesKey).labels);
    const number = pair ? this.#pairNumber(pair) : NO_PAIR;
    table[ref] = number;
    return number;
  }

  #pairNumber(pair: Pair): number {
    const key = JSON.stringify([pair.cluster, pair.replica]);
    let number = this.#pairNumbers.get(key);
    if (number === undefined) {
      number = this.#pairs.push(pair) + 1;
      this.#pairNumbers.set(key, number);
    }
    return number;
  }

  #tableOf(series: readonly SeriesKey[]): Uint32Array {
    const known = this.#tables.get(series);
    if (known && known.length >= series.length) return known;
    const table = new Uint32Array(Math.max(series.length, Math.ceil(1.5 * (known?.length ?? 0)))).fill(UNKNOWN);
    if (known) table.set(known);
    this.#tables.set(series, table);
    return table;
  }

  #forgetPairs(): void {
    this.#pairs = [];
    this.#pairNumbers = new Map();
    this.#tables = new WeakMap();
  }
}

const MAX_PAIRS = 100_000;
