import { z } from "zod";

/** What is found in log records as they come in, before processors see them. */
export const logHelpersConfig = z
  .strictObject({
    find_trace_ids: z
      .boolean()
      .default(true)
      .describe(
        "Of records without a trace id: take that from the body (trace_id=…, traceparent, traceId: 32 hex digits)",
      ),
    parse_bodies: z
      .enum(["off", "json", "logfmt", "auto"])
      .default("off")
      .describe("Make attributes of what bodies in JSON or logfmt say; auto: JSON where it is, else logfmt"),
    ingested_at: z
      .boolean()
      .default(false)
      .describe("Add the attribute ingested_at: when the record was received, in ns since the epoch"),
  })
  .prefault({});
export type LogHelpersConfig = z.output<typeof logHelpersConfig>;
