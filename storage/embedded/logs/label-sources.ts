import type { AttributeType } from "@sightline/model/attributes.ts";
import { labelValue } from "@sightline/model/labels.ts";
import type { LogStream } from "@sightline/model/log-batch.ts";
import { knownLokiLabelName } from "@sightline/model/loki-label-name.ts";

/**
 * What the stream says of a label. `label`: it is one of its own, which none of a record's attributes can change.
 * `metadata`: what a record has that lacks the label itself, "" for nothing. `unknown`: it may be in a nested attribute.
 */
export type StreamLabelValue = { readonly kind: "label" | "metadata"; readonly value: string } | typeof UNKNOWN;
const UNKNOWN = { kind: "unknown", value: "" } as const;

/** A label that a stream has by that name hides those of attributes, which are known by this one then. */
const EXTRACTED = "_extracted";

/** Fields of the record itself that are labels; they win over attributes of that name. */
export const RECORD_LABELS = ["trace_id", "span_id", "severity_text", "severity_number", "observed_timestamp"] as const;
export type RecordLabel = (typeof RECORD_LABELS)[number];

/** False for labels of which nothing here can tell whose they are. */
export function isPlainLabel(name: string): boolean {
  return name !== "" && !name.endsWith(EXTRACTED);
}

/** `is`: its value, if not empty, is the label's. `may`: when it is a map, one of its leaves may be. */
export function bearingOf(attribute: { readonly name: string; readonly type: AttributeType }, label: string) {
  const name = knownLokiLabelName(attribute.name);
  if (attribute.type !== "json") return name === label ? "is" : "no";
  if (name === label || name === "" || name.startsWith("_")) return "may";
  return label.startsWith(`${name.replace(/_+$/, "")}_`) ? "may" : "no";
}

/** Only an attribute that is a map makes other labels than that of its name. */
export function isMap(type: AttributeType, value: string): boolean {
  return type === "json" && value.startsWith("{");
}

/** Attributes of the scope win over those of the resource. */
export function streamLabelValue(stream: LogStream, label: string): StreamLabelValue {
  const own = labelValue(stream.labels, label);
  if (own !== "") return { kind: "label", value: own };
  let found = "";
  for (const attribute of [...stream.resource, ...stream.scope.attributes]) {
    const bearing = bearingOf(attribute, label);
    if (bearing === "no" || attribute.value === "") continue;
    if (bearing === "may") {
      if (isMap(attribute.type, attribute.value)) return UNKNOWN;
      if (knownLokiLabelName(attribute.name) !== label) continue;
    }
    found = attribute.value;
  }
  if (label === "scope_name" && stream.scope.name !== "") found = stream.scope.name;
  if (label === "scope_version" && stream.scope.version !== "") found = stream.scope.version;
  return { kind: "metadata", value: found };
}
