import { InvalidInputError } from "@sightline/model/errors.ts";
import { type QueryHandler, sendJson } from "../http/query-api.ts";
import { parseSelector } from "../promql/parse/parse-promql.ts";
import { invalidParameter, metadataLimit } from "./parameters.ts";

/**
 * What Prometheus says of the targets it scrapes. Nothing is scraped here, everything is pushed: the answers have
 * Prometheus' shape with nothing in it, and parameters are checked.
 */

/** `/api/v1/targets` */
export const targetsHandler: QueryHandler = async ({ parameters, reply }) => {
  const state = parameters.get("state").toLowerCase();
  const showsDropped = state === "" || state === "any" || state === "dropped";
  const data = { activeTargets: [], droppedTargets: [], droppedTargetCounts: showsDropped ? {} : null };
  return sendJson(reply, { status: "success", data });
};

/** `/api/v1/targets/metadata` */
export const targetMetadataHandler: QueryHandler = async ({ parameters, reply }) => {
  metadataLimit(parameters, "limit");
  const selector = parameters.get("match_target");
  try {
    if (selector !== "") parseSelector(selector);
  } catch (error) {
    if (error instanceof Error) throw invalidParameter("match_target", error.message, error);
    throw error;
  }
  return sendJson(reply, { status: "success", data: [] });
};

/** `/api/v1/targets/relabel_steps` */
export const relabelStepsHandler: QueryHandler = async ({ parameters }) => {
  const pool = requiredPool(parameters.get("scrapePool"));
  const labels = parameters.get("labels");
  if (labels === "") throw new InvalidInputError("no labels parameter provided");
  try {
    JSON.parse(labels);
  } catch (cause) {
    throw new InvalidInputError(`error parsing labels: ${(cause as Error).message}`, { cause });
  }
  throw unknownPool(pool);
};

/** `/api/v1/scrape_pools` */
export const scrapePoolsHandler: QueryHandler = async ({ reply }) =>
  sendJson(reply, { status: "success", data: { scrapePools: [] } });

/** `/api/v1/scrape_pools/config` */
export const scrapePoolConfigHandler: QueryHandler = async ({ parameters }) => {
  throw unknownPool(requiredPool(parameters.get("scrapePool")));
};

function requiredPool(pool: string): string {
  if (pool === "") throw new InvalidInputError("no scrapePool parameter provided");
  return pool;
}

function unknownPool(pool: string): InvalidInputError {
  return new InvalidInputError(`error retrieving scrape config: scrape pool ${JSON.stringify(pool)} not found`);
}
