import { InvalidInputError, UnavailableError } from "@sightline/model/errors.ts";
import { headersOf, type Invocation, type Options, timeMsOf, urlOf } from "./command-options.ts";
import { formatQueryAnswer, type PrometheusAnswer } from "./format-query-answer.ts";

const USAGE =
  "usage: query 'EXPR' [--time T] [--start T [--end T] [--step 15s]] [--json] [--url http://HOST:PORT] [--tenant T] [--key-file FILE]";
/** Points over the time asked for when no step is given, as promtool has it. */
const DEFAULT_POINTS = 250;

/**
 * `sightline query …` asks a running server by PromQL: at one moment, or with `--start` at steps of a range. Prints what
 * promtool would, or with `--json` the body of the answer. Returns the exit code.
 */
export async function runQuery({ words, options }: Invocation): Promise<number> {
  const [query, ...others] = words;
  if (query === undefined || others.length > 0) {
    process.stderr.write(`sightline: ${USAGE}\n`);
    return 2;
  }
  const { path, parameters } = requestOf(query, options, Date.now());
  const answer = await ask(new URL(path, `${urlOf(options)}/`), parameters, headersOf(options));
  for (const note of [...(answer.warnings ?? []), ...(answer.infos ?? [])])
    process.stderr.write(`sightline: ${note}\n`);
  if (answer.status !== "success") {
    process.stderr.write(`sightline: ${answer.errorType}: ${answer.error}\n`);
    return 1;
  }
  process.stdout.write(options.json === true ? `${JSON.stringify(answer)}\n` : formatQueryAnswer(answer.data));
  return 0;
}

/** Exported for tests. */
export function requestOf(query: string, options: Options, nowMs: number) {
  const { start, end, step, time } = options as Record<string, string | undefined>;
  if (start === undefined) {
    if (end !== undefined || step !== undefined) throw new InvalidInputError(`--end and --step need --start; ${USAGE}`);
    return {
      path: "api/v1/query",
      parameters: { query, time: String(timeMsOf("time", time ?? "now", nowMs) / 1_000) },
    };
  }
  if (time !== undefined) throw new InvalidInputError(`--time and --start exclude each other; ${USAGE}`);
  const startSeconds = timeMsOf("start", start, nowMs) / 1_000;
  const endSeconds = timeMsOf("end", end ?? "now", nowMs) / 1_000;
  const resolution = Math.max(Math.floor((endSeconds - startSeconds) / DEFAULT_POINTS), 1);
  const parameters = { query, start: String(startSeconds), end: String(endSeconds), step: step ?? String(resolution) };
  return { path: "api/v1/query_range", parameters };
}

/** Throws `UnavailableError` when there is no answer that can be understood. */
export async function ask(url: URL, parameters: Record<string, string>, headers: Record<string, string>) {
  let response: Response;
  let body: string;
  try {
    response = await fetch(url, { method: "POST", headers, body: new URLSearchParams(parameters) });
    body = await response.text();
  } catch (cause) {
    const reason = ((cause as Error).cause as Error | undefined)?.message ?? (cause as Error).message;
    throw new UnavailableError(`${url.origin} does not answer (${reason}); is a server running there? See --url`, {
      cause,
      retryAfterMs: 1_000,
    });
  }
  try {
    return JSON.parse(body) as PrometheusAnswer;
  } catch (cause) {
    throw new UnavailableError(`${url.origin} answered ${response.status}: ${body.slice(0, 200).trim()}`, {
      cause,
      retryAfterMs: 1_000,
    });
  }
}
