import type { Answer } from "../harness/http-call.ts";
import { comparable } from "./comparable.ts";
import type { HttpCase } from "./http-request.ts";

/** A request, with the name of a push that it makes or looks at, and what was answered. */
export type HttpPair = {
  readonly name: string;
  readonly request: HttpCase;
  readonly want: Answer;
  readonly got: Answer;
};
/** Where Sightline answers otherwise than Loki, on purpose. */
export type HttpDeviation = { readonly reason: string; readonly explains: (pair: HttpPair) => boolean };

const isError = ({ status }: Answer) => status >= 400;
const areGood = ({ want, got }: HttpPair) => want.status === 200 && got.status === 200;
const isPush = ({ name }: HttpPair) => name !== "";

/** Pushes that are taken here, or there, only. */
const TAKEN_HERE: ReadonlySet<string> = new Set([
  "number as metadata",
  "bool as metadata",
  "nested categories",
  "empty name",
  "lone surrogate",
  "stream is null",
  "identity",
  "upper gzip",
  "zlib",
]);
const TAKEN_THERE: ReadonlySet<string> = new Set(["one element", "entry is null", "null as label", "object as label"]);

export const HTTP_DEVIATIONS: readonly HttpDeviation[] = [
  {
    reason: "queries over more than 30 days are answered",
    explains: ({ want, got }) => /the query time range exceeds the limit/.test(want.text) && got.status === 200,
  },
  {
    reason: "a limit names its setting",
    explains: ({ want, got }) =>
      want.status === got.status && got.text.startsWith(`${want.text.trim()}; here it is query.logs.`),
  },
  {
    reason: "the time of a number is in seconds as all other times; Loki has it in milliseconds",
    explains: (pair) => areGood(pair) && /"resultType":"scalar"/.test(pair.want.text),
  },
  {
    reason: "an end before the start is called so; Loki says of labels and series that they are no longer available",
    explains: ({ want, got }) =>
      /past now - max_query_lookback/.test(want.text) && /^end timestamp must not be before/.test(got.text),
  },
  {
    reason: "seconds of nineteen digits with a fraction are no time; Loki takes them for any",
    explains: ({ request, got }) => /\$(START|END)\.5/.test(request.search ?? "") && got.status === 400,
  },
  {
    reason: "volumes are lines, as bytes_over_time counts them; Loki's are chunks, with structured metadata",
    explains: (pair) =>
      areGood(pair) && /\/index\//.test(pair.request.path) && withoutNumbers(pair.want) === withoutNumbers(pair.got),
  },
  {
    reason: "what an index knows of streams that are new",
    explains: (pair) => areGood(pair) && pair.request.path.endsWith("index/stats"),
  },
  {
    reason: "which of more fields or values than the limit are shown is open",
    explains: (pair) => areGood(pair) && /detected_field.*limit=/.test(`${pair.request.path}?${pair.request.search}`),
  },
  {
    reason: "a number has no fields; Loki answers the number",
    explains: ({ want, got }) => want.text.includes('"resultType":"matrix"') && /^only log selector/.test(got.text),
  },
  {
    reason: "methods and paths that there are not: other words, and 405 where the path is one",
    explains: ({ want, got }) => [404, 405].includes(want.status) && [404, 405].includes(got.status),
  },
  {
    reason: "a path may end with a slash",
    explains: ({ request, got }) => request.path.endsWith("/") && got.status === 200,
  },
  { reason: "readiness has its own words", explains: ({ request }) => request.path === "/ready" },
  {
    reason: "a tail without an upgrade is told to send one",
    explains: ({ request, want, got }) => request.path.endsWith("/tail") && isError(want) && isError(got),
  },
  {
    reason: "what is wrong with a push is said in other words, and with 400 in place of 500",
    explains: (pair) => isPush(pair) && isError(pair.want) && isError(pair.got),
  },
  {
    reason: "pushes that Loki can't read",
    explains: ({ name, want, got }) =>
      TAKEN_HERE.has(name) && (isError(want) || hasNoLines(want)) && (got.status === 204 || !hasNoLines(got)),
  },
  {
    reason: "pushes of which Loki makes something that was not said",
    explains: ({ name, want, got }) =>
      TAKEN_THERE.has(name) && (isError(got) || hasNoLines(got)) && (want.status === 204 || !hasNoLines(want)),
  },
  {
    reason: "a deletion that can't be made says what is wrong with its query",
    explains: ({ want, got }) =>
      want.status === 400 && got.status === 400 && got.text.startsWith(`${want.text.trim()}: `),
  },
  {
    reason: "a deletion is read from a form, too",
    explains: ({ request, want, got }) =>
      /\/delete$/.test(request.path) && request.body !== undefined && want.status === 400 && got.status === 204,
  },
  {
    reason: "deletions of lines that are not there are done at once",
    explains: (pair) =>
      areGood(pair) &&
      /\/delete$/.test(pair.request.path) &&
      comparable(pair.want).replaceAll('"received"', '"processed"') === comparable(pair.got),
  },
  {
    reason: "nothing is cancelled where no deletion is named; Loki cancels all",
    explains: ({ request, want, got }) =>
      request.method === "DELETE" && request.search === "" && want.status === 204 && got.status === 404,
  },
  {
    reason: "a line that is sent twice is kept twice",
    explains: ({ name, want, got }) => name === "twice the same" && want.status === got.status,
  },
];

function withoutNumbers(answer: Answer): string {
  return comparable(answer).replaceAll(/"\d+"/g, '"n"');
}

function hasNoLines({ text }: Answer): boolean {
  return text.includes('"result":[]');
}

/** The deviation that explains the difference. */
export function httpDeviationOf(pair: HttpPair): HttpDeviation | undefined {
  return HTTP_DEVIATIONS.find(({ explains }) => explains(pair));
}
