import { labelValue } from "@sightline/model/labels.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { LogLevels, LogPatternSelection } from "@sightline/model/log-pattern-store.ts";
import type { StreamRequest } from "@sightline/model/log-store.ts";
import { compileMatchers } from "@sightline/model/matcher.ts";
import { Breather } from "../segments/breather.ts";
import { BatchLines } from "./batch-lines.ts";
import type { LineTemplate } from "./line-template.ts";
import { PatternSums } from "./pattern-sums.ts";
import { OTHER_STREAMS, type ServiceOptions, ServicePatterns } from "./service-patterns.ts";
import type { MayLookCloser, TemplateMiner } from "./template-miner.ts";
import type { Compaction } from "./time-counts.ts";

const SERVICE = "service_name";
/** Lines of further ones are not counted: names of services come from senders. */
const MAX_SERVICES = 10_000;
const INCOMPLETE: LogPatternSelection = { isComplete: false, patterns: [] };

/** Where the lines of a batch's stream are counted. */
type Place = { readonly service: ServicePatterns; readonly stream: number };

export type CountOptions = {
  readonly levels: LogLevels;
  readonly mayLookCloser: MayLookCloser;
  readonly nowMs: number;
};

/** The patterns of one tenant, by service. */
export class TenantPatterns {
  readonly services = new Map<string, ServicePatterns>();
  /** Lines of before may be known to nobody here: when it began, by our clock. */
  sinceMs: number;
  /** Services with lines up to then were forgotten. */
  lostUpToMs = Number.NEGATIVE_INFINITY;
  /** Something was counted since the last snapshot. */
  isDirty = false;
  readonly #options: ServiceOptions;

  constructor(sinceMs: number, options: ServiceOptions) {
    this.sinceMs = sinceMs;
    this.#options = options;
  }

  newService(): ServicePatterns {
    return new ServicePatterns(this.#options);
  }

  async memoryBytes(): Promise<number> {
    const breather = new Breather();
    let bytes = 0;
    for (const service of this.services.values()) {
      bytes += service.memoryBytes;
      if (breather.due) await breather.pause();
    }
    return bytes;
  }

  eachTemplate(visit: (template: LineTemplate) => void): void {
    for (const service of this.services.values()) for (const [, template] of service.templates()) visit(template);
  }

  /** Counts rows from `from` to `to` of a batch at a place of the log. Returns how many were not looked at. */
  counter(batch: LogBatch, position: number, options: CountOptions): (from: number, to: number) => number {
    // By stream, once the first of its rows comes: there may be very many.
    const places: (Place | null)[] = [];
    const levelAt = options.levels(batch);
    const { timesNs, streamRefs } = batch;
    const lines = new BatchLines(batch);
    // Reading a BigInt of each would allocate.
    const words = new Uint32Array(timesNs.buffer, timesNs.byteOffset, timesNs.length * 2);
    const { mayLookCloser, nowMs } = options;
    this.isDirty = true;
    return (from, to) => {
      let skipped = 0;
      // Of the row before: neighbours tend to have the same. Not kept for longer, as miners may go meanwhile.
      let service: ServicePatterns | undefined;
      let level = "";
      let miner: TemplateMiner | undefined;
      for (let row = from; row < to; row++) {
        const ref = streamRefs[row] as number;
        let place = places[ref];
        if (place === undefined) {
          place = this.#place(batch.streams[ref] as LogStream, position, nowMs);
          places[ref] = place;
        }
        if (!place || !lines.go(row)) continue;
        const rowLevel = levelAt(row);
        if (!miner || place.service !== service || rowLevel !== level) {
          service = place.service;
          level = rowLevel;
          miner = service.miner(level);
        }
        const template = miner.find(lines.bytes, lines.from, lines.to, mayLookCloser);
        if (!template) {
          skipped++;
          continue;
        }
        const ns = ((words[2 * row + 1] as number) | 0) * 0x1_0000_0000 + (words[2 * row] as number);
        template.add(place.stream, ns / 1e9, 1);
        template.lastUsedMs = nowMs;
      }
      return skipped;
    };
  }

  /** Null when the batch is in what a snapshot had of the service, or there are too many services. */
  #place({ labels }: LogStream, position: number, nowMs: number): Place | null {
    const name = labelValue(labels, SERVICE);
    let service = this.services.get(name);
    if (!service) {
      if (this.services.size >= MAX_SERVICES) {
        this.lostUpToMs = nowMs;
        return null;
      }
      service = this.newService();
      this.services.set(name, service);
    }
    // Marked by `applied` when all of the batch is counted.
    if (position <= service.position) return null;
    service.lastUsedMs = nowMs;
    return { service, stream: service.streamNumber(labels) };
  }

  /** Everything up to this position is counted. */
  applied(batch: LogBatch, position: number): void {
    for (const { labels } of batch.streams) {
      const service = this.services.get(labelValue(labels, SERVICE));
      if (service && service.position < position) service.position = position;
    }
  }

  async select({ range, matchers }: StreamRequest, signal: AbortSignal): Promise<LogPatternSelection> {
    const startMs = Number(range.startNs / 1_000_000n);
    if (startMs < this.sinceMs || startMs <= this.lostUpToMs) return INCOMPLETE;
    const matches = compileMatchers(matchers);
    const sums = new PatternSums(range);
    const breather = new Breather();
    for (const service of this.services.values()) {
      if (couldMatch(service, matchers)) return INCOMPLETE;
      const isWanted = service.streams.map(matches);
      if (!service.hasOthers) isWanted[OTHER_STREAMS] = false;
      if (!isWanted.includes(true)) continue;
      for (const [level, template] of service.templates()) {
        sums.addTemplate(template, level, isWanted);
        if (!breather.due) continue;
        await breather.pause();
        signal.throwIfAborted();
      }
    }
    return { isComplete: true, patterns: sums.patterns() };
  }

  /** Of services that may have streams which the matchers select. Returns how many templates are gone. */
  forget(matchers: StreamRequest["matchers"]): number {
    const matches = compileMatchers(matchers);
    let forgotten = 0;
    for (const [name, service] of this.services) {
      if (service.streams.some(matches) || couldMatch(service, matchers)) forgotten += this.#drop(name, service);
    }
    return forgotten;
  }

  /** Joins and drops counts by age. Returns how many templates are gone. */
  async compact(compaction: Compaction): Promise<number> {
    const breather = new Breather();
    let gone = 0;
    for (const [name, service] of this.services) {
      gone += service.compact(compaction);
      if (service.miners.size === 0) this.services.delete(name);
      if (breather.due) await breather.pause();
    }
    return gone;
  }

  /** Removes templates, and services that have none left, one service with each step. */
  *evict(isGone: (template: LineTemplate) => boolean): Generator<void> {
    for (const [name, service] of this.services) {
      service.remove(isGone);
      if (service.miners.size === 0) this.#drop(name, service);
      yield;
    }
  }

  #drop(name: string, service: ServicePatterns): number {
    this.services.delete(name);
    this.lostUpToMs = Math.max(this.lostUpToMs, service.lastUsedMs);
    return service.remove(() => true);
  }
}

/** Some stream that is known only by what it shares with others may match. */
function couldMatch(service: ServicePatterns, matchers: StreamRequest["matchers"]): boolean {
  if (!service.hasOthers || !matchers.some(({ name }) => service.varying.has(name))) return false;
  const certain = matchers.filter(({ name }) => !service.varying.has(name));
  return compileMatchers(certain)(service.streams[OTHER_STREAMS] ?? []);
}
