import type { Attribute, Attributes } from "@sightline/model/attributes.ts";
import { labelValue } from "@sightline/model/labels.ts";
import type { LogStream } from "@sightline/model/log-batch.ts";
import { knownLokiLabelName } from "@sightline/model/loki-label-name.ts";
import type { LogRecord } from "./log-codec.ts";

/** Fields of a record that are labels. */
const FIELDS: Readonly<Record<string, (record: LogRecord) => string>> = {
  trace_id: ({ traceId }) => traceId,
  span_id: ({ spanId }) => spanId,
  severity_text: ({ severityText }) => severityText,
  severity_number: ({ severity }) => (severity === 0 ? "" : String(severity)),
  observed_timestamp: ({ observedNs }) => (observedNs === 0n ? "" : String(observedNs)),
};
/** A label of the stream hides that of an attribute, which is known by a name with this at its end then. */
const EXTRACTED = "_extracted";

/** False for labels of which nothing here can tell whose they are. */
export function isPlainLabel(name: string): boolean {
  return name !== "" && !name.endsWith(EXTRACTED);
}

/** What a stream says of a label. `isOwn`: whatever a record has, this is the label's value. */
export type StreamLabel = { readonly value: string; readonly isOwn: boolean };

/** Undefined when the value may be in a nested attribute. Attributes of the scope win over those of the resource. */
export function streamLabel({ labels, resource, scope }: LogStream, name: string): StreamLabel | undefined {
  const own = labelValue(labels, name);
  if (own !== "") return { value: own, isOwn: true };
  let value = "";
  for (const attribute of [...resource, ...scope.attributes]) {
    if (mayHold(attribute, name)) return undefined;
    if (attribute.value !== "" && knownLokiLabelName(attribute.name) === name) value = attribute.value;
  }
  if (name === "scope_name" && scope.name !== "") value = scope.name;
  if (name === "scope_version" && scope.version !== "") value = scope.version;
  return { value, isOwn: false };
}

/** The value of a label, "" when the record lacks it; undefined when that can't be said. */
export function recordLabel(record: LogRecord, name: string): string | undefined {
  const ofStream = streamLabel(record.stream, name);
  if (ofStream?.isOwn) return ofStream.value;
  const own = ownValue(record.attributes, name, FIELDS[name]?.(record) ?? "");
  return own === "" ? ofStream?.value : own;
}

function ownValue(attributes: Attributes, name: string, field: string): string | undefined {
  let found = field;
  for (const attribute of attributes) {
    if (attribute.value === "") continue;
    if (mayHold(attribute, name)) return undefined;
    if (knownLokiLabelName(attribute.name) !== name) continue;
    // Which of two attributes of one name counts is nobody's promise.
    if (found !== "") return undefined;
    found = attribute.value;
  }
  return found;
}

/** Each leaf of a map is a label whose name begins with the map's. */
function mayHold({ name, type, value }: Attribute, label: string): boolean {
  if (type !== "json" || !value.startsWith("{")) return false;
  const prefix = knownLokiLabelName(name);
  return (
    prefix === "" || prefix === label || prefix.startsWith("_") || label.startsWith(`${prefix.replace(/_+$/, "")}_`)
  );
}
