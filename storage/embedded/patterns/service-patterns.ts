import { type Label, type Labels, labelsFrom, labelsKey } from "@sightline/model/labels.ts";
import type { LineTemplate } from "./line-template.ts";
import { type Tally, TemplateMiner } from "./template-miner.ts";
import type { Compaction } from "./time-counts.ts";

/** Levels of a service that are kept apart; texts that are no levels come from senders. */
const MAX_LEVELS = 16;
const UNKNOWN = "unknown";
/** The number of the stream that stands for all beyond the limit. */
export const OTHER_STREAMS = 0;
/** Of these streams it is known only what they have in common. */
const MAX_VARYING = 200;

export type ServiceOptions = { readonly maxStreams: number; readonly tally: Tally };

/**
 * The templates of one service, found over all its streams together and counted per stream. Beyond `maxStreams` (pods
 * come and go) further ones are counted together, under the labels that all of them share.
 */
export class ServicePatterns {
  /** By level. */
  readonly miners = new Map<string, TemplateMiner>();
  /** Of each stream by its number; those of {@link OTHER_STREAMS} are what they share. */
  readonly streams: Labels[] = [[]];
  /** Names of labels that not all of the other streams share. */
  readonly varying = new Set<string>();
  /** Batches of the log up to here are counted. */
  position = -1;
  lastUsedMs = 0;
  hasOthers = false;
  readonly #maxStreams: number;
  readonly #tally: Tally;
  readonly #numbers = new Map<string, number>();

  constructor(options: ServiceOptions) {
    this.#maxStreams = options.maxStreams;
    this.#tally = options.tally;
  }

  get memoryBytes(): number {
    let bytes = 2_000 + 500 * this.streams.length;
    for (const miner of this.miners.values()) bytes += miner.memoryBytes;
    for (const [, template] of this.templates()) bytes += template.memoryBytes;
    return bytes;
  }

  /** With their levels. */
  *templates(): Generator<readonly [level: string, template: LineTemplate]> {
    for (const [level, miner] of this.miners) for (const template of miner.templates()) yield [level, template];
  }

  /** The number under which lines of the stream are counted. */
  streamNumber(labels: Labels): number {
    const key = labelsKey(labels);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    if (this.streams.length > this.#maxStreams) {
      this.#addOther(labels);
      return OTHER_STREAMS;
    }
    this.#numbers.set(key, this.streams.length);
    this.streams.push(labels);
    return this.streams.length - 1;
  }

  miner(level: string): TemplateMiner {
    const known = this.miners.get(level);
    if (known) return known;
    if (this.miners.size >= MAX_LEVELS && level !== UNKNOWN) return this.miner(UNKNOWN);
    const miner = new TemplateMiner(this.#tally);
    this.miners.set(level, miner);
    return miner;
  }

  /** Templates without a line that counts any more go away; the return value says how many. */
  compact(compaction: Compaction): number {
    for (const [, template] of this.templates()) {
      for (const counts of template.counts) counts?.compact(compaction);
    }
    return this.remove((template) => template.isEmpty);
  }

  remove(isGone: (template: LineTemplate) => boolean): number {
    let removed = 0;
    for (const [level, miner] of this.miners) {
      removed += miner.remove(isGone);
      if (miner.size === 0) this.miners.delete(level);
    }
    return removed;
  }

  /** Of a snapshot: streams by their numbers. */
  restoreStreams(streams: readonly Labels[], varying: readonly string[], hasOthers: boolean): void {
    for (const [number, labels] of streams.entries()) {
      this.streams[number] = labels;
      if (number !== OTHER_STREAMS) this.#numbers.set(labelsKey(labels), number);
    }
    for (const name of varying) this.varying.add(name);
    this.hasOthers = hasOthers;
  }

  #addOther(labels: Labels): void {
    const shared = this.streams[OTHER_STREAMS] as Labels;
    if (!this.hasOthers) {
      this.hasOthers = true;
      this.streams[OTHER_STREAMS] = labels;
      return;
    }
    const given = new Map(labels);
    const kept: Label[] = [];
    for (const label of shared) {
      if (given.get(label[0]) === label[1]) kept.push(label);
      else this.#vary(label[0]);
      given.delete(label[0]);
    }
    for (const name of given.keys()) this.#vary(name);
    if (kept.length < shared.length) this.streams[OTHER_STREAMS] = labelsFrom(kept);
  }

  #vary(name: string): void {
    if (this.varying.size < MAX_VARYING) this.varying.add(name);
  }
}
