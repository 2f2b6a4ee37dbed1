import type { Attributes } from "@sightline/model/attributes.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import { lokiLabelName } from "@sightline/model/loki-label-name.ts";
import { recordLevels } from "../log-patterns/record-levels.ts";
import { DETECTED_LEVEL } from "../logql/detected-level.ts";
import type { PipelineRow } from "../logql/pipeline/stage.ts";
import type { FacetCounter, FacetScope } from "./facet-counter.ts";

/** Rows are counted column by column, so many at a time. */
const MAX_PENDING = 1_000;

/** Attributes of log records: their own, those of scope and resource, labels of the stream, and what a query parsed. */
export class LogFacets {
  /** Records that were counted. */
  records = 0;
  readonly #counter: FacetCounter;
  readonly #levels = recordLevels();
  #batch: LogBatch | undefined;
  #rows: number[] = [];

  constructor(counter: FacetCounter) {
    this.#counter = counter;
  }

  add(batch: LogBatch, row: number, made: PipelineRow | undefined): void {
    if (batch !== this.#batch || this.#rows.length >= MAX_PENDING) this.finish();
    this.#batch = batch;
    this.#rows.push(row);
    this.records++;
    if (!made) return;
    for (const [name, value] of made.labels.categorized().parsed) {
      this.#counter.column(name, "parsed", "string")?.add(value, 1);
    }
  }

  /** Counts what is left. */
  finish(): void {
    const batch = this.#batch;
    const rows = this.#rows;
    if (!batch || rows.length === 0) return;
    this.#rows = [];
    for (const { name, type, values } of batch.attributes) {
      const column = this.#counter.column(name, "record", type, lokiLabelName(name));
      if (!column) continue;
      for (const row of rows) {
        const value = values[row];
        if (value !== undefined) column.add(value, 1);
      }
    }
    this.#countStreams(batch, rows);
    const severities = this.#counter.column("severity_text", "field", "string");
    const levels = this.#counter.column(DETECTED_LEVEL, "field", "string");
    const levelAt = levels && this.#levels(batch);
    for (const row of rows) {
      const severity = batch.severityTexts[row] ?? "";
      if (severity !== "") severities?.add(severity, 1);
      if (levelAt) levels?.add(levelAt(row), 1);
    }
  }

  #countStreams(batch: LogBatch, rows: readonly number[]): void {
    const counts = new Map<number, number>();
    for (const row of rows) {
      const ref = batch.streamRefs[row] as number;
      counts.set(ref, (counts.get(ref) ?? 0) + 1);
    }
    for (const [ref, count] of counts) {
      const { labels, resource, scope } = batch.streams[ref] as LogStream;
      this.#addAll(resource, "resource", count);
      this.#addAll(scope.attributes, "scope", count);
      const known = new Set(resource.map(({ name }) => lokiLabelName(name)));
      for (const [name, value] of labels) {
        if (!known.has(name)) this.#counter.column(name, "label", "string")?.add(value, count);
      }
    }
  }

  #addAll(attributes: Attributes, scope: FacetScope, count: number): void {
    for (const { name, type, value } of attributes) {
      this.#counter.column(name, scope, type, lokiLabelName(name))?.add(value, count);
    }
  }
}
