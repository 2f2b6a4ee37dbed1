import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { Stage } from "../processors/stage.ts";
import { addJsonFields } from "./json-fields.ts";
import { addLogfmtFields } from "./logfmt-fields.ts";
import { ParsedAttributes } from "./parsed-attributes.ts";

/** Longer bodies stay as they are. */
const MAX_BODY = 65_536;
/** Of one request so much is parsed, some tens of milliseconds; the bodies of further records only stay as they are. */
const MAX_CHARACTERS = 8_388_608;

/** Attributes of what bodies say. The body stays as it is, and so do attributes that came with the record. */
export function parseBodies(format: "json" | "logfmt" | "auto"): Stage<LogBatch> {
  return {
    name: "parse_bodies",
    apply(batch) {
      const attributes = new ParsedAttributes(batch.attributes, batch.length);
      let left = MAX_CHARACTERS;
      for (let row = 0; row < batch.length && left > 0; row++) {
        const body = batch.bodies[row] as string;
        if (body.length > MAX_BODY) continue;
        left -= body.length;
        attributes.begin(row);
        const isDone = format !== "logfmt" && addJsonFields(body, attributes);
        if (!isDone && format !== "json") addLogfmtFields(body, attributes);
      }
      return { ...batch, attributes: attributes.columns() };
    },
  };
}
