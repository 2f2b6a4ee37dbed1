import type { AttributeColumn, AttributeType } from "@sightline/model/attributes.ts";
import { type Label, type Labels, labelValue } from "@sightline/model/labels.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import { lokiLabelName } from "@sightline/model/loki-label-name.ts";
import { isJsonMap, type JsonAttributeMap, jsonAttributeText, parseJsonAttribute } from "../http/json-attribute.ts";
import { DETECTED_LEVEL, LEVEL_FIELDS, LevelDetector } from "./detected-level.ts";
import { mergeLabels } from "./merge-labels.ts";
import { type MetadataSource, MetadataSources } from "./metadata-sources.ts";
import { EXTRACTED } from "./pipeline/parser-hints.ts";

/** The attributes of a batch that may make labels that are wanted, and what its streams' labels are made from. */
type BatchSources = {
  readonly columns: readonly AttributeColumn[];
  readonly ofStream: Map<LogStream, MetadataSources>;
};
type AddLabel = (name: string, value: string) => void;

/** Fields of the record itself that become labels. */
const RECORD_FIELDS: readonly (readonly [name: string, valueAt: (batch: LogBatch, row: number) => string])[] = [
  ["observed_timestamp", ({ observedNs }, row) => (observedNs[row] ? String(observedNs[row]) : "")],
  ["severity_number", ({ severities }, row) => (severities[row] ? String(severities[row]) : "")],
  ["severity_text", ({ severityTexts }, row) => severityTexts[row] ?? ""],
  ["trace_id", ({ traceIds }, row) => traceIds[row] ?? ""],
  ["span_id", ({ spanIds }, row) => spanIds[row] ?? ""],
];
const NOTHING: Labels = [];
/** JSON attributes nest so deep at most; what is deeper stays JSON text. */
const MAX_DEPTH = 8;
/** Streams of one batch that are remembered: about 3 KB each. */
const MAX_SOURCES = 2_048;

/**
 * Structured metadata of log records as Loki's OTLP endpoint makes it (pkg/loghttp/push/otlplabels): every attribute of
 * record, scope and resource that is not a label of the stream, and the record's own fields. Attributes of the record
 * win over those of the scope, these over those of the resource. The level that Loki detects when it takes a record in is
 * found here when the record is read. Made for one query, as it remembers what it has seen.
 */
export class StructuredMetadata {
  readonly #names = new Map<string, string>();
  readonly #ofStream = new Map<LogStream, StreamLabels>();
  readonly #levels = new LevelDetector();
  /** Undefined: all. */
  readonly #wanted: ReadonlySet<string> | undefined;
  readonly #wantsLevel: boolean;
  readonly #wantsFields: boolean;
  /** By the attributes of a batch; rows of several may come in turns. */
  readonly #batches = new WeakMap<readonly AttributeColumn[], BatchSources>();

  /** With `wanted` only labels of these names are made, which for many records is much less work. */
  constructor(wanted?: ReadonlySet<string>) {
    this.#wantsLevel = wanted?.has(DETECTED_LEVEL) ?? true;
    // The level may be in any of these.
    this.#wanted = wanted && this.#wantsLevel ? new Set([...wanted, ...LEVEL_FIELDS]) : wanted;
    const names = this.#wanted;
    this.#wantsFields = !names || RECORD_FIELDS.some(([name]) => names.has(name) || names.has(name + EXTRACTED));
  }

  /** Sorted, as all labels are. */
  of(batch: LogBatch, row: number): Labels {
    if (this.#wanted?.size === 0) return NOTHING;
    const logStream = batch.streams[batch.streamRefs[row] as number] as LogStream;
    const stream = this.#streamLabels(logStream);
    const ofBatch = this.#sourcesOfBatch(batch.attributes);
    if (this.#wantsFields || ofBatch.columns.length > 0) batch.load?.(row);
    const sources = this.#sourcesOf(logStream, stream, ofBatch);
    const metadata = sources.covers(row)
      ? sources.of(batch, row)
      : [...this.#withMaps(batch, row, stream, ofBatch.columns)];
    if (this.#wantsLevel) this.#addLevel(batch, row, stream, metadata);
    return metadata;
  }

  #withMaps(batch: LogBatch, row: number, stream: StreamLabels, columns: readonly AttributeColumn[]): Labels {
    const own: Label[] = [];
    const add: AddLabel = (name, value) => stream.add(own, name, value);
    for (const { name, type, values } of columns) {
      const value = values[row];
      if (value !== undefined) this.#expand(name, type, value, add);
    }
    if (this.#wantsFields) for (const [name, valueAt] of RECORD_FIELDS) add(name, valueAt(batch, row));
    return mergeLabels(stream.metadata, sorted(own));
  }

  #sourcesOf(logStream: LogStream, stream: StreamLabels, { columns, ofStream }: BatchSources): MetadataSources {
    const known = ofStream.get(logStream);
    if (known) return known;
    if (ofStream.size >= MAX_SOURCES) ofStream.clear();
    const sources: MetadataSource[] = stream.metadata.map((label) => ({
      name: label[0],
      label,
      valueAt: () => label[1],
    }));
    for (const column of columns) {
      const label = this.#labelName(column.name);
      const name = this.#wanted?.has(label) === false ? undefined : stream.freeName(label);
      if (name !== undefined) sources.push({ name, valueAt: (_, row) => column.values[row] });
    }
    for (const [field, valueAt] of this.#wantsFields ? RECORD_FIELDS : []) {
      const name = stream.freeName(field);
      if (name !== undefined) sources.push({ name, valueAt });
    }
    const json = columns.filter(({ type }) => type === "json");
    const made = new MetadataSources(sources, json);
    ofStream.set(logStream, made);
    return made;
  }

  #sourcesOfBatch(attributes: readonly AttributeColumn[]): BatchSources {
    let sources = this.#batches.get(attributes);
    if (!sources) {
      sources = { columns: this.#wantedOf(attributes), ofStream: new Map() };
      this.#batches.set(attributes, sources);
    }
    return sources;
  }

  #wantedOf(attributes: readonly AttributeColumn[]): readonly AttributeColumn[] {
    const wanted = this.#wanted;
    if (!wanted) return attributes;
    return attributes.filter(({ name, type }) => {
      const label = this.#labelName(name);
      return type === "json" || wanted.has(label) || wanted.has(label + EXTRACTED);
    });
  }

  #addLevel(batch: LogBatch, row: number, stream: StreamLabels, metadata: Label[]): void {
    if (labelValue(metadata, DETECTED_LEVEL) !== "") return;
    const name = stream.freeName(DETECTED_LEVEL);
    const level = name === undefined ? "" : this.#levels.detect(batch, row, stream.labels, metadata);
    if (name === undefined || level === "") return;
    let at = metadata.length;
    while (at > 0 && (metadata[at - 1] as Label)[0] > name) at--;
    if (metadata[at - 1]?.[0] === name) metadata[at - 1] = [name, level];
    else metadata.splice(at, 0, [name, level]);
  }

  #streamLabels(stream: LogStream): StreamLabels {
    const known = this.#ofStream.get(stream);
    if (known) return known;
    const labels = new StreamLabels(stream.labels, this.#wanted);
    const metadata: Label[] = [];
    const add: AddLabel = (name, value) => labels.add(metadata, name, value);
    for (const { name, type, value } of stream.resource) {
      if (labelValue(stream.labels, this.#labelName(name)) === "") this.#expand(name, type, value, add);
    }
    for (const { name, type, value } of stream.scope.attributes) this.#expand(name, type, value, add);
    add("scope_name", stream.scope.name);
    add("scope_version", stream.scope.version);
    labels.metadata = sorted(metadata);
    this.#ofStream.set(stream, labels);
    return labels;
  }

  /** A map becomes one label per leaf, named by its path; everything else one label. */
  #expand(name: string, type: AttributeType, value: string, add: AddLabel): void {
    if (type === "json" && value.startsWith("{")) {
      const map = parseJsonAttribute(value);
      if (isJsonMap(map)) {
        this.#expandMap(name, map, add, 1);
        return;
      }
    }
    const label = this.#labelName(name);
    if (!this.#wanted || this.#wanted.has(label)) add(label, value);
  }

  #expandMap(prefix: string, map: JsonAttributeMap, add: AddLabel, depth: number): void {
    for (const [key, value] of Object.entries(map)) {
      const name = `${prefix}_${key}`;
      if (isJsonMap(value) && depth < MAX_DEPTH) this.#expandMap(name, value, add, depth + 1);
      else add(this.#labelName(name), typeof value === "string" ? value : jsonAttributeText(value));
    }
  }

  #labelName(attribute: string): string {
    let name = this.#names.get(attribute);
    if (name === undefined) {
      name = lokiLabelName(attribute);
      this.#names.set(attribute, name);
    }
    return name;
  }
}

/** What is the same for all records of a stream. */
class StreamLabels {
  readonly labels: Labels;
  metadata: Labels = [];
  readonly #taken: ReadonlySet<string>;
  readonly #wanted: ReadonlySet<string> | undefined;

  constructor(labels: Labels, wanted: ReadonlySet<string> | undefined) {
    this.labels = labels;
    this.#taken = new Set(labels.map(([name]) => name));
    this.#wanted = wanted;
  }

  add(labels: Label[], name: string, value: string): void {
    const free = value === "" ? undefined : this.freeName(name);
    if (free !== undefined) labels.push([free, value]);
  }

  /** What a label is called that must not hide one of the stream; undefined when it is not wanted. */
  freeName(name: string): string | undefined {
    if (name === "") return undefined;
    const free = this.#taken.has(name) ? name + EXTRACTED : name;
    return !this.#wanted || this.#wanted.has(free) || this.#wanted.has(name) ? free : undefined;
  }
}

/** By name; of several of one name the last. The sort is stable. */
function sorted(labels: Label[]): Labels {
  labels.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return labels.filter(([name], i) => name !== labels[i + 1]?.[0]);
}
