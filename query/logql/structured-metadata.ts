import type { AttributeType } from "@sightline/model/attributes.ts";
import { type Label, type Labels, labelValue } from "@sightline/model/labels.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import { isJsonMap, type JsonAttributeMap, jsonAttributeText, parseJsonAttribute } from "../http/json-attribute.ts";
import { lokiLabelName } from "./loki-label-name.ts";
import { mergeLabels } from "./merge-labels.ts";

type AddLabel = (name: string, value: string) => void;

/** What Loki puts after the name of a label that the stream has already. */
const EXTRACTED = "_extracted";
/** JSON attributes nest so deep at most; what is deeper stays JSON text. */
const MAX_DEPTH = 8;

/**
 * Structured metadata of log records as Loki's OTLP endpoint makes it (pkg/loghttp/push/otlplabels): every attribute of
 * record, scope and resource that is not a label of the stream, and the record's own fields. Attributes of the record
 * win over those of the scope, these over those of the resource. Made for one query, as it remembers what it has seen.
 */
export class StructuredMetadata {
  readonly #names = new Map<string, string>();
  readonly #ofStream = new Map<LogStream, StreamLabels>();

  /** Sorted, as all labels are. */
  of(batch: LogBatch, row: number): Labels {
    const stream = this.#streamLabels(batch.streams[batch.streamRefs[row] as number] as LogStream);
    const own: Label[] = [];
    const add: AddLabel = (name, value) => stream.add(own, name, value);
    for (const { name, type, values } of batch.attributes) {
      const value = values[row];
      if (value !== undefined) this.#expand(name, type, value, add);
    }
    const observedNs = batch.observedNs[row] as bigint;
    if (observedNs !== 0n) add("observed_timestamp", String(observedNs));
    const severity = batch.severities[row] as number;
    if (severity !== 0) add("severity_number", String(severity));
    add("severity_text", batch.severityTexts[row] ?? "");
    add("trace_id", batch.traceIds[row] ?? "");
    add("span_id", batch.spanIds[row] ?? "");
    return mergeLabels(stream.metadata, sorted(own));
  }

  #streamLabels(stream: LogStream): StreamLabels {
    const known = this.#ofStream.get(stream);
    if (known) return known;
    const labels = new StreamLabels(stream.labels);
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
    add(this.#labelName(name), value);
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
  metadata: Labels = [];
  readonly #taken: ReadonlySet<string>;

  constructor(labels: Labels) {
    this.#taken = new Set(labels.map(([name]) => name));
  }

  add(labels: Label[], name: string, value: string): void {
    if (name !== "" && value !== "") labels.push([this.#taken.has(name) ? name + EXTRACTED : name, value]);
  }
}

/** By name; of several of one name the last. The sort is stable. */
function sorted(labels: Label[]): Labels {
  labels.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return labels.filter(([name], i) => name !== labels[i + 1]?.[0]);
}
