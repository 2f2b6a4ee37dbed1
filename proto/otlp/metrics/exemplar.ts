import type { Label, Labels } from "@sightline/model/labels.ts";
import { labelsFrom } from "@sightline/model/labels.ts";
import { type Fault, invalid } from "../../metrics/rejection-log.ts";
import { BYTES, FIXED64, type WireReader } from "../../wire/reader.ts";
import type { AttributeReader } from "./attribute-reader.ts";
import { millisOfNanos } from "./nano-time.ts";

/** OpenMetrics' limit on the characters of an exemplar's labels, names and values together. */
const MAX_LABEL_CHARACTERS = 128;

/** `timeMs` 0 when it has no time of its own. */
export type ExemplarFields = { readonly timeMs: number; readonly value: number; readonly labels: Labels };

/**
 * Reads the `Exemplar` that comes next. Its labels are `trace_id`, `span_id` and the filtered attributes under their own
 * names; the attributes are left out when all would be more than OpenMetrics allows, as Prometheus does it.
 */
export function readExemplar(reader: WireReader, attributes: AttributeReader): ExemplarFields | Fault {
  const outer = reader.enter("exemplars");
  let timeMs = 0;
  let value: number | undefined;
  let valid = true;
  const ids: Label[] = [];
  const filtered: Label[] = [];
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === ((2 << 3) | FIXED64)) {
      reader.readFixed64();
      timeMs = millisOfNanos(reader.low, reader.high);
    } else if (tag === ((3 << 3) | FIXED64)) value = reader.double();
    else if (tag === ((6 << 3) | FIXED64)) value = reader.sfixed64AsNumber();
    else if (tag === ((4 << 3) | BYTES)) addId(ids, "span_id", reader.bytesView());
    else if (tag === ((5 << 3) | BYTES)) addId(ids, "trace_id", reader.bytesView());
    else if (tag === ((7 << 3) | BYTES)) {
      const attribute = attributes.readOne(reader);
      if (attribute) filtered.push([attribute.name, attribute.value]);
      else valid = false;
    } else reader.skip(tag);
  }
  reader.leave(outer);
  if (value === undefined) return invalid("exemplar-value", "an exemplar without a value");
  if (!valid) return invalid("exemplar-utf8", "an attribute of an exemplar is not valid UTF-8");
  const all = [...filtered.filter(([name]) => name !== ""), ...ids];
  const characters = all.reduce((sum, [name, text]) => sum + [...name].length + [...text].length, 0);
  return { timeMs, value, labels: labelsFrom(characters <= MAX_LABEL_CHARACTERS ? all : ids) };
}

/** An id of zeros is none. */
function addId(ids: Label[], name: string, bytes: Uint8Array): void {
  if (bytes.some((byte) => byte !== 0)) ids.push([name, Buffer.from(bytes).toString("hex")]);
}
