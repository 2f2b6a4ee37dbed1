import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { Stage } from "../processors/stage.ts";
import { findTraceIds } from "./find-trace-ids.ts";
import { ingestedAt } from "./ingested-at.ts";
import type { LogHelpersConfig } from "./log-helpers-config.ts";
import { parseBodies } from "./parse-bodies.ts";

/** They come before the processors, so that these can act on what was found. */
export function logHelpers(config: LogHelpersConfig): readonly Stage<LogBatch>[] {
  const stages: Stage<LogBatch>[] = [];
  if (config.find_trace_ids) stages.push(findTraceIds());
  if (config.parse_bodies !== "off") stages.push(parseBodies(config.parse_bodies));
  if (config.ingested_at) stages.push(ingestedAt());
  return stages;
}
