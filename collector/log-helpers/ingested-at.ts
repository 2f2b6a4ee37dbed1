import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { Stage } from "../processors/stage.ts";

const NAME = "ingested_at";

/** When the request was received, as an attribute of each record. What a sender says under this name does not count. */
export function ingestedAt(): Stage<LogBatch> {
  return {
    name: NAME,
    apply(batch, _decision, { receivedAtMs }) {
      const others = batch.attributes.filter(({ name }) => name !== NAME);
      const values = new Array<string>(batch.length).fill(`${receivedAtMs}000000`);
      return { ...batch, attributes: [...others, { name: NAME, type: "int", values }] };
    },
  };
}
