import { InvalidInputError, NotFoundError } from "@sightline/model/errors.ts";
import { type Labels, labelsToObject, labelValue } from "@sightline/model/labels.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import { parseSecondsOrDuration } from "../http/go-syntax.ts";
import { type QueryCall, type QueryHandler, sendJson } from "../http/query-api.ts";
import type { RequestParameters } from "../http/request-parameters.ts";
import type { LogEntry } from "../logql/result.ts";
import { readTime } from "../loki-api/parameters.ts";
import { selectorText } from "../loki-api/selector-text.ts";
import type { LogsApiDeps } from "./logs-api-deps.ts";
import { parseLogQuery, readCount } from "./read-parameters.ts";

const DEFAULT_ROWS = 10;
/** Records of one time that are looked at for the one that is meant. */
const MAX_AT = 1_000;
const DEFAULT_WINDOW_MS = 86_400_000;
const NS_PER_MS = 1_000_000n;
/** What says which machine a record is from, the first that is there. */
const HOST_LABELS = ["host_name", "host_id", "k8s_node_name", "hostname", "host", "node", "instance"];

/** Finds out which records are around one: which query selects them. */
type Scope = (entry: LogEntry, call: QueryCall, deps: LogsApiDeps) => Promise<string>;
const SCOPES: ReadonlyMap<string, Scope> = new Map<string, Scope>([
  ["stream", sameStream],
  ["service", sameService],
  ["host", sameHost],
]);

/**
 * What came before and after a record: of its stream, its service or its host. The record is the one of `query` at `time`
 * whose line is `line`, the first one without; `at` has all of that very time. All ascend in time.
 */
export function contextHandler(deps: LogsApiDeps): QueryHandler {
  return async (call) => {
    const { parameters, reply } = call;
    const { max_limit: maxLimit, max_query_bytes: maxQueryBytes } = deps.config.logs;
    const query = parameters.get("query");
    parseLogQuery(query, maxQueryBytes);
    if (parameters.get("time") === "")
      throw new InvalidInputError('missing parameter "time": that of the record, in ns');
    const timeNs = readTime(parameters, (deps.nowMs ?? Date.now)());
    const before = readCount(parameters, "before", DEFAULT_ROWS, maxLimit);
    const after = readCount(parameters, "after", DEFAULT_ROWS, maxLimit);
    const scopeName = parameters.get("scope") || "stream";
    const scope = SCOPES.get(scopeName);
    if (!scope)
      throw new InvalidInputError(`"scope" must be stream, service or host, not ${JSON.stringify(scopeName)}`);
    const windowNs = readWindowNs(parameters);
    const lines = linesOf(call, deps);

    const at = { startNs: timeNs, endNs: timeNs + 1n };
    const line = parameters.get("line");
    const meant = (await lines(query, at, Math.min(MAX_AT, maxLimit), false)).find(
      (entry) => line === "" || entry.line === line,
    );
    if (!meant) throw new NotFoundError("no record of the query is of this time (and line)");
    const around = await scope(meant, call, deps);
    const earlier = await lines(around, { startNs: timeNs - windowNs, endNs: timeNs }, before, true);
    const later = await lines(around, { startNs: timeNs + 1n, endNs: timeNs + windowNs }, after, false);
    const same = await lines(around, at, Math.min(MAX_AT, maxLimit), false);
    const data = {
      scope: scopeName,
      query: around,
      before: earlier.toReversed().map(entryJson),
      at: same.map(entryJson),
      after: later.map(entryJson),
    };
    return sendJson(reply, { status: "success", data });
  };
}

function readWindowNs(parameters: RequestParameters): bigint {
  const text = parameters.get("window");
  if (text === "") return BigInt(DEFAULT_WINDOW_MS) * NS_PER_MS;
  const duration = parseSecondsOrDuration(text);
  if ("error" in duration) throw new InvalidInputError(duration.error);
  return BigInt(Math.max(0, Math.floor(duration.ms))) * NS_PER_MS;
}

function linesOf({ tenant, signal }: QueryCall, { engine }: LogsApiDeps) {
  return async (
    query: string,
    range: { readonly startNs: bigint; readonly endNs: bigint },
    limit: number,
    newestFirst: boolean,
  ): Promise<readonly LogEntry[]> => {
    if (limit === 0) return [];
    const rest = { stepNs: 1_000_000_000n, intervalNs: 0n, tenant, signal };
    const { value } = await engine.range(query, { ...range, ...rest, limit, newestFirst });
    return value.type === "streams" ? value.entries : [];
  };
}

/** Labels that others have beside the same ones must be missing. */
async function sameStream({ stream, timeNs }: LogEntry, call: QueryCall, { logs }: LogsApiDeps): Promise<string> {
  const matchers: Matcher[] = stream.map(([name, value]) => ({ name, op: "=", value }));
  const windowNs = readWindowNs(call.parameters);
  const range = { startNs: timeNs - windowNs, endNs: timeNs + windowNs + 1n };
  const own = new Set(stream.map(([name]) => name));
  const others = new Set<string>();
  for (const { labels } of await logs.streams({ tenant: call.tenant, range, matchers }, call.signal)) {
    for (const [name] of labels) if (!own.has(name)) others.add(name);
  }
  for (const name of others) matchers.push({ name, op: "=", value: "" });
  return selectorText(matchers);
}

async function sameService({ stream }: LogEntry): Promise<string> {
  const matchers = ["service_name", "service_namespace"].flatMap((name): Matcher[] => {
    const value = labelValue(stream, name);
    return value === "" ? [] : [{ name, op: "=", value }];
  });
  if (matchers.length === 0) throw new InvalidInputError("the record has no service_name: ask for its stream");
  return selectorText(matchers);
}

async function sameHost({ stream, metadata }: LogEntry): Promise<string> {
  for (const name of HOST_LABELS) {
    const value = labelValue(stream, name);
    if (value !== "") return selectorText([{ name, op: "=", value }]);
    const hidden = labelValue(metadata, name);
    if (hidden !== "") return `{service_name=~".+"} | ${name}=${JSON.stringify(hidden)}`;
  }
  throw new InvalidInputError(`the record does not say its host (${HOST_LABELS.join(", ")}): ask for its service`);
}

function entryJson({ timeNs, line, stream, metadata, parsed }: LogEntry) {
  const of = (labels: Labels) => labelsToObject(labels);
  return { timeNs: String(timeNs), line, stream: of(stream), metadata: of(metadata), parsed: of(parsed) };
}
