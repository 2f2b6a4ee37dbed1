import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { LogCountGroup, LogCountRequest } from "@sightline/model/log-store.ts";
import { compileMatcher } from "@sightline/model/matcher.ts";
import { type OpenSearchConnection, RefusedError } from "../connection/open-search-connection.ts";
import { rowOfSource } from "../rows/row-document.ts";
import type { Snapshot } from "../rows/rows-store.ts";
import { type RowSearch, rowQuery, SEARCH_OPTIONS, searchRows } from "../rows/search-rows.ts";
import { Turn } from "../rows/turn.ts";
import { CountBuckets } from "./count-buckets.ts";
import { CountGroups } from "./count-groups.ts";
import type { LogCodec, LogRecord } from "./log-codec.ts";
import { areMatchersExact, type LogFilter, logFilter } from "./log-filter.ts";
import { type OwnGroup, ownGroups } from "./own-groups.ts";
import { mayConfuse } from "./own-values.ts";
import { isPlainLabel, recordLabel, type StreamLabel, streamLabel } from "./record-label.ts";
import type { StreamCatalog } from "./stream-catalog.ts";
import { exactLineQuery, leftOutQuery } from "./words.ts";

export type LogCountQueryOptions = {
  readonly connection: OpenSearchConnection;
  readonly index: string;
  readonly codec: LogCodec;
  readonly streams: StreamCatalog;
  readonly snapshot: Snapshot<LogBatch>;
};

/** Rows that OpenSearch can't count are read: a few, or the small part of all. */
const FEW_ROWS_READ = 5_000;
const SMALL_PART = 0.1;
/** The largest limit that OpenSearch takes. */
const NO_LIMIT = 2 ** 31 - 2;
/** So few are read sooner than their values are found. */
const FEW_ROWS = 200;
const CELLS_PER_PAGE = 5_000;
const MAX_PAGES = 60;
/** Of these no document has a value that could be counted by. */
const NOT_COUNTED_BY = new Set(["trace_id", "span_id", "observed_timestamp"]);
/** Of the record itself, whatever its attributes are. */
const SEVERITY = ["severity_number", "severity_text"];

/** What tells cells apart; null where documents lack it. */
type CellKey = {
  readonly bucket: number;
  readonly stream?: string;
  readonly severity?: number | null;
  readonly text?: string | null;
};
type Cell = { readonly key: CellKey; readonly doc_count: number; readonly bytes?: { readonly value: number } };
type CellsAnswer = {
  readonly aggregations?: { readonly cells: { readonly after_key?: object; readonly buckets: readonly Cell[] } };
};
type CountAnswer = { readonly hits: { readonly total: { readonly value: number } } };
type Values = readonly string[];
const NO_VALUES: ReadonlyMap<string, string> = new Map();

/** OpenSearch can't tell, or not soon: the caller reads the rows. */
class CantTell extends Error {}

/**
 * Counts records where they are: by stream, severity and time, of which the labels follow, and one value after the other of labels
 * that attributes of the records make. Records in which something is odd (words too long for the index, maps) are read instead, as
 * are those in memory.
 */
export class LogCountQuery {
  readonly #options: LogCountQueryOptions;
  readonly #request: LogCountRequest;
  readonly #signal: AbortSignal;
  readonly #filter: LogFilter;
  /** Labels that matter: first, without repetition, those that are asked for, then those of filters. */
  readonly #names: readonly string[];
  readonly #tests: readonly { readonly at: number; readonly test: (value: string) => boolean }[];
  /** So many of them are asked for. */
  readonly #asked: number;
  readonly #groups: CountGroups;
  readonly #turn = new Turn();
  readonly #labelsOfStream = new Map<LogStream, readonly (StreamLabel | undefined)[]>();

  /** Throws `InvalidInputError` for a regular expression that is not valid. */
  constructor(options: LogCountQueryOptions, request: LogCountRequest, signal: AbortSignal) {
    this.#options = options;
    this.#request = request;
    this.#signal = signal;
    const { matchers, line, by, fields = [] } = request;
    this.#filter = logFilter({ matchers, line, fields });
    this.#names = [...new Set([...by, ...fields.map(({ name }) => name)])];
    this.#asked = new Set(by).size;
    this.#tests = fields.map(({ name, op = "=", value }) => {
      return { at: this.#names.indexOf(name), test: compileMatcher({ name, op, value }) };
    });
    this.#groups = new CountGroups(request);
  }

  /** Undefined when not everything can be counted exactly, or there are too many groups. */
  async run(): Promise<readonly LogCountGroup[] | undefined> {
    try {
      await this.#count();
    } catch (error) {
      // Expressions that Lucene finds too complex, more cells than the cluster allows.
      if (error instanceof CantTell || error instanceof RefusedError) return undefined;
      throw error;
    }
    return this.#groups.finish();
  }

  async #count(): Promise<void> {
    const buckets = CountBuckets.of(this.#request);
    if (!buckets || !this.#names.every(isPlainLabel)) throw new CantTell();
    if (this.#names.some((name) => NOT_COUNTED_BY.has(name))) throw new CantTell();
    const { exact, unsure } = this.#lines();
    await this.#addHotRows();
    const oddities = [...this.#oddities(), ...unsure];
    const groups = await this.#ownGroups(exact, oddities);
    const odd = anyOf(groups ? oddities : [...oddities, { terms: { own_labels: this.#names } }]);
    await this.#addRead(odd);
    const early = buckets.early;
    for (const { values, must, mustNot } of groups ?? [{ values: NO_VALUES, must: exact, mustNot: [] }]) {
      await this.#addCells(buckets, values, must, early ? [...mustNot, odd, early] : [...mustNot, odd], 0);
      if (early) await this.#addCells(buckets, values, [...must, early], [...mustNot, odd], 1);
    }
  }

  /** Finds the lines that are wanted, but for those that have to be looked at. */
  #lines(): { readonly exact: readonly object[]; readonly unsure: readonly object[] } {
    const exact: object[] = [];
    const unsure: object[] = [];
    for (const filter of this.#request.line) {
      const query = exactLineQuery(filter);
      const leftOut = query ? undefined : leftOutQuery(filter);
      if (query) exact.push(query);
      else if (leftOut) unsure.push(leftOut);
      else throw new CantTell();
    }
    return { exact, unsure };
  }

  /** Finds the documents that don't say all that matters in fields that can be counted by. */
  #oddities(): object[] {
    const conditions: object[] = [{ bool: { must_not: { exists: { field: "message_bytes" } } } }];
    if (this.#request.line.length > 0) conditions.push({ term: { long_words: true } });
    if (this.#names.length > 0) conditions.push({ term: { nested: true } });
    const severities = this.#names.filter((name) => SEVERITY.includes(name));
    if (severities.length > 0) conditions.push({ terms: { own_labels: severities } });
    if (severities.includes("severity_text")) conditions.push({ term: { _ignored: "severity_text" } });
    return conditions;
  }

  /** By labels that attributes of the records make. Undefined when there are few such records, or it can't be told. */
  async #ownGroups(exact: readonly object[], oddities: readonly object[]): Promise<readonly OwnGroup[] | undefined> {
    const labels = this.#names.filter((name) => !SEVERITY.includes(name));
    if (labels.length === 0) return undefined;
    const search = this.#search(exact, [anyOf(oddities)]);
    const own = { terms: { own_labels: labels } };
    const few = await this.#countRows({ ...search, must: [...search.must, own] }, FEW_ROWS);
    return few <= FEW_ROWS ? undefined : ownGroups(this.#options, labels, search, this.#signal);
  }

  #search(must: readonly object[], mustNot: readonly object[]): RowSearch {
    const { tenant, range } = this.#request;
    return {
      tenant,
      range,
      visibility: this.#options.snapshot.visibility,
      must: [...this.#filter.must, ...must],
      mustNot: [...this.#filter.mustNot, ...mustNot],
    };
  }

  /** Counts no further than one above `most`. */
  async #countRows(search: RowSearch, most: number): Promise<number> {
    const { connection, index } = this.#options;
    const { body } = await connection.send<CountAnswer>(
      "count",
      {
        method: "POST",
        path: `/${index}/_search`,
        query: SEARCH_OPTIONS,
        body: { size: 0, track_total_hits: most + 1, query: rowQuery(search) },
      },
      this.#signal,
    );
    return body.hits.total.value;
  }

  async #addHotRows(): Promise<void> {
    const { snapshot, codec } = this.#options;
    const { startNs, endNs } = this.#request.range;
    for (const { batch, rows, minNs, maxNs } of snapshot.hot) {
      if (maxNs < startNs || minNs >= endNs) continue;
      for (const row of rows) {
        const time = batch.timesNs[row] as bigint;
        if (time >= startNs && time < endNs) this.#addRecord(codec.rowAt(batch, row));
        await this.#turn.next(this.#signal);
      }
    }
  }

  async #addRead(which: object): Promise<void> {
    const { connection, index, codec } = this.#options;
    const search = this.#search([which], []);
    const rows = await this.#countRows(search, FEW_ROWS_READ);
    if (rows > FEW_ROWS_READ && !(await this.#isSmallPart(search))) throw new CantTell();
    if (rows === 0) return;
    const order = { newestFirst: true, limit: Number.POSITIVE_INFINITY };
    for await (const page of searchRows(connection, index, search, order, this.#signal)) {
      for (const { _source } of page) {
        this.#addRecord(rowOfSource(codec, _source));
        await this.#turn.next(this.#signal);
      }
    }
  }

  /** Of the rows that would be read otherwise. */
  async #isSmallPart(search: RowSearch): Promise<boolean> {
    const rows = await this.#countRows(search, NO_LIMIT);
    return rows <= SMALL_PART * (await this.#countRows(this.#search([], []), NO_LIMIT));
  }

  #addRecord(record: LogRecord): void {
    if (!this.#filter.matches(record)) return;
    const values = this.#names.map((name) => {
      const value = recordLabel(record, name);
      if (value === undefined) throw new CantTell();
      return value;
    });
    const { range, bucketNs, withBytes } = this.#request;
    const bucket = Number((record.timeNs - range.startNs) / bucketNs);
    this.#add(values, bucket, 1, withBytes ? Buffer.byteLength(record.body) : 0);
  }

  /** `own`: labels that the records' own attributes make. `back`: by how many buckets the rows are earlier than OpenSearch has them. */
  async #addCells(
    buckets: CountBuckets,
    own: OwnGroup["values"],
    must: readonly object[],
    mustNot: readonly object[],
    back: number,
  ): Promise<void> {
    const { connection, index } = this.#options;
    const { withBytes } = this.#request;
    const query = rowQuery(this.#search(must, mustNot));
    let after: object | undefined;
    for (let page = 0; page === 0 || after; page++) {
      if (page === MAX_PAGES) throw new CantTell();
      const composite = { size: CELLS_PER_PAGE, sources: this.#sources(buckets), ...(after && { after }) };
      const aggs = { cells: { composite, ...(withBytes && { aggs: { bytes: { sum: { field: "message_bytes" } } } }) } };
      const { body } = await connection.send<CellsAnswer>(
        "count",
        {
          method: "POST",
          path: `/${index}/_search`,
          query: SEARCH_OPTIONS,
          body: { size: 0, track_total_hits: false, query, aggs },
        },
        this.#signal,
      );
      const cells = body.aggregations?.cells;
      await this.#addPage(cells?.buckets ?? [], buckets, own, back);
      after = cells?.after_key;
    }
  }

  #sources(buckets: CountBuckets): object[] {
    const sources: object[] = [{ bucket: buckets.source }];
    const { matchers } = this.#request;
    if (this.#names.length > 0 || !areMatchersExact(matchers)) sources.push({ stream: termsOf("stream_id") });
    if (this.#names.includes("severity_number")) sources.push({ severity: termsOf("severity") });
    if (this.#names.includes("severity_text")) sources.push({ text: termsOf("severity_text") });
    return sources;
  }

  async #addPage(cells: readonly Cell[], buckets: CountBuckets, own: OwnGroup["values"], back: number): Promise<void> {
    const ids = new Set(cells.flatMap(({ key }) => key.stream ?? []));
    const streams = await this.#options.streams.byId(ids, this.#signal);
    for (const { key, doc_count, bytes } of cells) {
      const values = key.stream === undefined ? [] : this.#valuesOf(key, streams.get(key.stream), own);
      if (values) this.#add(values, buckets.numberOf(key.bucket) - back, doc_count, bytes?.value ?? 0);
      await this.#turn.next(this.#signal);
    }
  }

  /** Undefined when the stream is not wanted. */
  #valuesOf({ severity, text }: CellKey, stream: LogStream | undefined, own: OwnGroup["values"]): Values | undefined {
    if (!stream) throw new CantTell();
    if (!this.#filter.matchesStream(stream)) return undefined;
    let labels = this.#labelsOfStream.get(stream);
    if (!labels) {
      labels = this.#names.map((name) => streamLabel(stream, name));
      this.#labelsOfStream.set(stream, labels);
    }
    return this.#names.map((name, i) => {
      const label = labels[i];
      if (!label) throw new CantTell();
      if (label.isOwn) return label.value;
      if (own.has(name) && mayConfuse(stream, name)) throw new CantTell();
      const level = name === "severity_number" ? severity : name === "severity_text" ? text : undefined;
      const ofRecord = level === undefined || level === null || level === 0 ? own.get(name) : String(level);
      return ofRecord ?? label.value;
    });
  }

  #add(values: Values, bucket: number, count: number, bytes: number): void {
    if (!this.#tests.every(({ at, test }) => test(values[at] as string))) return;
    if (!this.#groups.add(values.slice(0, this.#asked), bucket, count, bytes)) throw new CantTell();
  }
}

function anyOf(should: readonly object[]): object {
  return { bool: { should, minimum_should_match: 1 } };
}

function termsOf(field: string): object {
  return { terms: { field, missing_bucket: true } };
}
