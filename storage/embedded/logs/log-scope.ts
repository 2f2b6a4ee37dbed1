import type { LineFilter } from "@sightline/model/line-filter.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { FieldFilter, LineHint, StreamRequest } from "@sightline/model/log-store.ts";
import { compileMatchers } from "@sightline/model/matcher.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import { Breather } from "../segments/breather.ts";
import type { RowReader } from "../segments/row-reader.ts";
import type { SegmentInfo } from "../segments/segment.ts";
import type { Segment } from "../segments/segment-directory.ts";
import { type CompiledField, compileField, fieldConditions, fitsStatement, needsProbe } from "./field-conditions.ts";
import { hintConditions } from "./hint-conditions.ts";
import { compileLineFilters, type LineCondition, lineCondition } from "./line-matcher.ts";
import type { IndexedStream, LogSegmentIndex } from "./log-segment-index.ts";
import type { SegmentLogQuery } from "./segment-log-source.ts";

export type LogReader = RowReader<LogBatch, LogSegmentIndex>;
export type ScopeRequest = StreamRequest & {
  readonly line: readonly LineFilter[];
  readonly fields?: readonly FieldFilter[] | undefined;
  readonly hints?: readonly LineHint[] | undefined;
};

/** First and last event time, both included. */
export type Extent = { readonly minNs: bigint; readonly maxNs: bigint };

/** What of the filters DuckDB can apply. */
export type PushedDown = {
  readonly lines: readonly LineCondition[];
  /** These are all line filters. */
  readonly areLinesComplete: boolean;
  readonly fields: readonly CompiledField[];
};
/** The rows of a segment that a request is about. */
export type SegmentScope = Omit<SegmentLogQuery, "newestFirst" | "limit"> & {
  readonly info: SegmentInfo;
  /** To be called when the rows have been read. */
  readonly release: () => void;
  /** They meet all field filters, for certain. */
  readonly isSure: boolean;
};

/** Expressions that DuckDB is known to take. */
const understood = new Set<string>();
const MAX_UNDERSTOOD = 1_000;
const MAX_UNDERSTOOD_LENGTH = 1_000;

/** Which rows a request is about: what selecting, counting and listing streams have in common. */
export class LogScope {
  readonly reader: LogReader;
  readonly range: TimeRangeNs;
  readonly signal: AbortSignal;
  readonly breather = new Breather();
  readonly matchesStream: (stream: LogStream) => boolean;
  readonly matchesLine: ((body: string) => boolean) | undefined;
  readonly fields: readonly Omit<CompiledField, "isKnownToSql">[];
  readonly #request: ScopeRequest;

  /** Throws `InvalidInputError` for a regular expression that is not valid. */
  constructor(reader: LogReader, request: ScopeRequest, signal: AbortSignal) {
    this.reader = reader;
    this.range = request.range;
    this.signal = signal;
    this.#request = request;
    const matches = compileMatchers(request.matchers);
    const known = new WeakMap<LogStream, boolean>();
    this.matchesStream = (stream) => {
      const verdict = known.get(stream) ?? matches(stream.labels);
      known.set(stream, verdict);
      return verdict;
    };
    this.matchesLine = compileLineFilters(request.line);
    this.fields = (request.fields ?? []).map(compileField);
  }

  /** DuckDB's RE2 has limits of its own (on the size of a program) that ours lacks. */
  async pushedDown(): Promise<PushedDown> {
    const conditions = this.#request.line.map(lineCondition);
    const lines: LineCondition[] = [];
    for (const condition of conditions) {
      if (condition.kind === "contains" || (await this.#understandsRegex(condition.text))) lines.push(condition);
    }
    const fields: CompiledField[] = [];
    for (const field of this.fields) {
      const isKnownToSql =
        fitsStatement(field) && (!needsProbe(field) || (await this.#understandsRegex(`(?s:${field.value})`)));
      fields.push({ ...field, isKnownToSql });
    }
    return { lines, areLinesComplete: lines.length === conditions.length, fields };
  }

  async #understandsRegex(pattern: string): Promise<boolean> {
    if (understood.has(pattern)) return true;
    const isUnderstood = await this.#probe(pattern);
    if (understood.size >= MAX_UNDERSTOOD) understood.clear();
    if (isUnderstood && pattern.length <= MAX_UNDERSTOOD_LENGTH) understood.add(pattern);
    return isUnderstood;
  }

  async #probe(pattern: string): Promise<boolean> {
    const probe = this.reader.database.stream("SELECT regexp_matches('', $1)", [pattern.toWellFormed()], this.signal);
    try {
      for await (const _ of probe);
      return true;
    } catch {
      this.signal.throwIfAborted();
      return false;
    }
  }

  overlaps(extent: Extent): boolean {
    return extent.maxNs >= this.range.startNs && extent.minNs < this.range.endNs;
  }

  /**
   * First and last time of rows that a segment may have, as far as its index tells. Undefined when there are none, or
   * the index is damaged.
   */
  async extentOf(segment: Segment, { lines }: PushedDown): Promise<Extent | undefined> {
    const index = await this.reader.withIndex(segment, (known) => known, { verify: false });
    if (!index || !mayHaveLines(index, lines)) return undefined;
    let extent: Extent | undefined;
    for (const number of await this.#matchingStreams(segment, index)) {
      const { minNs, maxNs } = index.streams[number] as IndexedStream;
      extent = {
        minNs: extent && extent.minNs < minNs ? extent.minNs : minNs,
        maxNs: extent && extent.maxNs > maxNs ? extent.maxNs : maxNs,
      };
    }
    return extent;
  }

  #matchingStreams(segment: Segment, index: LogSegmentIndex): Promise<number[]> {
    const isKept = this.keeps(segment);
    return this.matchingStreams(index, (stream) => this.overlaps(stream) && isKept(stream));
  }

  /** Undefined when there are none, or the segment is damaged. To be released. */
  async ofSegment(segment: Segment, { lines, fields }: PushedDown): Promise<SegmentScope | undefined> {
    // Most often the index or the filter tells that there is nothing, and the rows need not be compared with their checksum.
    const first = await this.reader.withIndex(segment, (known) => known, { verify: false });
    if (!first || !mayHaveLines(first, lines)) return undefined;
    const spans = await this.reader.spansOf(segment, requiredTexts(lines));
    if (spans?.length === 0) return undefined;
    const index = await this.reader.withIndex(segment, (known) => known);
    if (!index) return undefined;
    const matching = await this.#matchingStreams(segment, index);
    const values: SegmentLogQuery["values"][number][] = [];
    const { streams, conditions, isSure } = fieldConditions(fields, index, matching, values);
    if (streams.length === 0) return undefined;
    const hints = hintConditions(this.#request.hints ?? [], index, streams, values);
    const { rows, release } = this.reader.lease(segment);
    const filters = { streams, range: this.range, lines, conditions, hints, values };
    return { segment: { ...rows, spans }, info: segment.info, release, index, ...filters, isSure };
  }

  /** Numbers of the streams that the request's matchers and `also` let through. */
  async matchingStreams(index: LogSegmentIndex, also: (stream: IndexedStream) => boolean): Promise<number[]> {
    const numbers: number[] = [];
    for (const [number, indexed] of index.streams.entries()) {
      if (also(indexed) && this.matchesStream(indexed.stream)) numbers.push(number);
      if (this.breather.due) await this.pause();
    }
    return numbers;
  }

  /** Tells streams of which records are kept; the files may still have others. */
  keeps(segment: Segment): (stream: IndexedStream) => boolean {
    const isExpired = this.reader.retention.expiry(segment);
    return ({ stream, maxNs }) => !isExpired({ labels: stream.labels, maxNs });
  }

  async pause(): Promise<void> {
    await this.breather.pause();
    this.signal.throwIfAborted();
  }
}

function requiredTexts(lines: readonly LineCondition[]): string[] {
  return lines.flatMap(({ required }) => required);
}

function mayHaveLines({ grams }: LogSegmentIndex, lines: readonly LineCondition[]): boolean {
  if (!grams) return true;
  return lines.every(({ required }) => required.every((text) => grams.mayHave(text)));
}
