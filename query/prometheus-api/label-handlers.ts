import { InvalidInputError } from "@sightline/model/errors.ts";
import { compareLabels, type Labels, labelsKey } from "@sightline/model/labels.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { LabelRequest } from "@sightline/model/metric-store.ts";
import { labelsJsonWriter } from "../http/labels-json.ts";
import type { QueryCall, QueryHandler } from "../http/query-api.ts";
import { sendChunks } from "../http/send-chunks.ts";
import { sortInTurns } from "../http/sort-in-turns.ts";
import { Turn } from "../http/turn.ts";
import { unescapeLabelName } from "./label-name-escaping.ts";
import { parseMatcherSets } from "./matcher-sets.ts";
import { invalidParameter, optionalLimit, optionalRange } from "./parameters.ts";
import type { PrometheusApiDeps } from "./prometheus-api-deps.ts";

/** Making a key of labels counts for so much in {@link Turn.tired}. */
const KEY_WORK = 300;
const TRUNCATED = ["results truncated due to limit"];

/** `/api/v1/labels` */
export function labelNamesHandler({ store, engine }: PrometheusApiDeps): QueryHandler {
  return async (call) => {
    const limit = optionalLimit(call.parameters);
    const requests = await labelRequests(engine, call, limit, parseMatcherSets(call.parameters.all("match[]")));
    const names = await union(requests, (request) => store.labelNames(request, call.signal));
    return sendList(call, names, limit, (name) => JSON.stringify(name));
  };
}

/** `/api/v1/label/:name/values` */
export function labelValuesHandler({ store, engine }: PrometheusApiDeps): QueryHandler {
  return async (call) => {
    const name = unescapeLabelName(call.path.name ?? "");
    if (name === "") throw new InvalidInputError(`invalid label name: ${JSON.stringify(name)}`);
    const limit = optionalLimit(call.parameters);
    const requests = await labelRequests(engine, call, limit, parseMatcherSets(call.parameters.all("match[]")));
    const values = await union(requests, (request) => store.labelValues(name, request, call.signal));
    return sendList(call, values, limit, (value) => JSON.stringify(value));
  };
}

/** `/api/v1/series` */
export function seriesHandler({ store, engine }: PrometheusApiDeps): QueryHandler {
  return async (call) => {
    const selectors = call.parameters.all("match[]");
    if (selectors.length === 0) throw new InvalidInputError("no match[] parameter provided");
    const limit = optionalLimit(call.parameters);
    const range = optionalRange(call.parameters);
    const requests = await labelRequests(engine, call, limit, seriesMatcherSets(selectors), range);
    const [first, ...others] = requests as [LabelRequest, ...LabelRequest[]];
    let series = await store.series(first, call.signal);
    if (others.length > 0) {
      const turn = new Turn();
      const byKey = new Map<string, Labels>();
      for (let i = 0; ; i++) {
        for (const labels of series) {
          byKey.set(labelsKey(labels), labels);
          if (turn.tired(KEY_WORK)) await turn.breathe();
        }
        const request = others[i];
        if (!request) break;
        series = await store.series(request, call.signal);
        await turn.rest();
      }
      series = await sortInTurns([...byKey.values()], compareLabels, turn);
    }
    return sendList(call, series, limit, labelsJsonWriter());
  };
}

/** One request per matcher set, with stored names in it; a single one over everything when there is none. */
async function labelRequests(
  engine: PrometheusApiDeps["engine"],
  { tenant, parameters, signal }: QueryCall,
  limit: number,
  matcherSets: readonly (readonly Matcher[])[],
  range = optionalRange(parameters),
): Promise<LabelRequest[]> {
  // One more than asked for shows that there is more.
  const request = { tenant, range, limit: limit > 0 ? limit + 1 : 0 };
  if (matcherSets.length === 0) return [{ ...request, matchers: [] }];
  const requests: LabelRequest[] = [];
  const turn = new Turn();
  for (const written of matcherSets) {
    requests.push({ ...request, matchers: await engine.storedMatchers(written, { tenant, range, signal }) });
    await turn.rest();
  }
  return requests;
}

function seriesMatcherSets(selectors: readonly string[]): readonly (readonly Matcher[])[] {
  try {
    return parseMatcherSets(selectors);
  } catch (error) {
    if (error instanceof Error) throw invalidParameter("match[]", error.message, error);
    throw error;
  }
}

async function union(
  requests: readonly LabelRequest[],
  ask: (request: LabelRequest) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const [first, ...others] = requests as [LabelRequest, ...LabelRequest[]];
  const answer = await ask(first);
  if (others.length === 0) return answer;
  const all = new Set(answer);
  const turn = new Turn();
  for (const request of others) {
    for (const text of await ask(request)) all.add(text);
    await turn.rest();
  }
  return sortInTurns([...all], (a, b) => (a < b ? -1 : 1), turn);
}

function sendList<T>(call: QueryCall, items: readonly T[], limit: number, encode: (item: T) => string) {
  return sendChunks(call.request, call.reply, "application/json", encodeList(items, limit, encode));
}

function* encodeList<T>(items: readonly T[], limit: number, encode: (item: T) => string): Generator<string> {
  const length = limit > 0 ? Math.min(limit, items.length) : items.length;
  yield '{"status":"success","data":[';
  for (let i = 0; i < length; i++) yield (i === 0 ? "" : ",") + encode(items[i] as T);
  yield length < items.length ? `],"warnings":${JSON.stringify(TRUNCATED)}}` : "]}";
}
