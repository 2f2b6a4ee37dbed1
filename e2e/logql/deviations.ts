import { type Answer, difference, withNames, withPoints } from "./compare-answers.ts";

/** Where Sightline answers otherwise than Loki, on purpose. */
export type Deviation = {
  readonly reason: string;
  readonly explains: (query: string, want: Answer, got: Answer) => boolean;
};

const errorOf = (answer: Answer) => ("error" in answer ? answer.error : "");

export const DEVIATIONS: readonly Deviation[] = [
  {
    reason: "Loki passes the query on as text, with sizes rounded to two digits: 2MiB becomes 2.1MB",
    explains: (query) => /2MiB/.test(query),
  },
  {
    reason: "a query with samples that match several others is wrong, not the server: 400 where Loki says 500",
    explains: (_, want, got) => errorOf(want).replace(/^500/, "400") === errorOf(got) && /match/.test(errorOf(got)),
  },
  {
    reason: "the time of a number is in seconds as all other times; Loki has it in milliseconds",
    explains: (_, want, got) => isScalar(want) && isScalar(got) && timeOf(want) === 1_000 * timeOf(got),
  },
  {
    reason:
      "series that have become one by label_replace have one value per step; Loki gives several points of one time",
    explains: (query) => query.startsWith("label_replace") && query.includes('"x", "service_name"'),
  },
  {
    reason: "approx_topk is exact here, and can be asked for over time",
    explains: (query, want) => query.startsWith("approx_topk") && errorOf(want).includes("count min sketches"),
  },
  {
    reason: "a number divided by zero is NaN, and one too large infinite; Loki breaks off",
    explains: (query, want) => !query.includes("{") && /no answer|failed to enqueue/.test(errorOf(want)),
  },
  {
    reason: "a number has no place among series: 400 where Loki says 500",
    explains: (_, want, got) =>
      /^500 unexpected expr type|^400 parse error : queries require/.test(errorOf(want)) &&
      errorOf(got).startsWith("400 unexpected expr type"),
  },
  {
    reason: "the message quotes the expression as it was written",
    explains: (_, want, got) =>
      errorOf(want).replace(/`[^`]*`$/, "") === errorOf(got).replace(/`[^`]*`$/, "") &&
      /parsing regexp/.test(errorOf(got)),
  },
  {
    reason: "two lines of one stream and time that become the same text are two lines; Loki shows one",
    explains: (query, want, got) => /line_format/.test(query) && isSameBy((points) => [...new Set(points)], want, got),
  },
  {
    reason:
      "where a label of a line comes from is what it is for this line; Loki has it of an earlier one with the same labels",
    explains: (_, want, got) => isSameBy((points) => points.map(withoutCategories).sort(), want, got),
  },
  {
    reason: "series that differ in a label that is empty in one of them; Loki shows both with the same labels",
    explains: (_, want, got) => difference(withNames(want, withoutEmpty), withNames(got, withoutEmpty)) === undefined,
  },
  {
    reason: "a limit names its setting",
    explains: (_, want, got) =>
      errorOf(want) !== "" && errorOf(got).startsWith(`${errorOf(want)}; here it is query.logs.`),
  },
];

function isScalar(answer: Answer): answer is Extract<Answer, { readonly type: string }> {
  return "type" in answer && answer.type === "scalar";
}

function timeOf({ items }: Extract<Answer, { readonly type: string }>): number {
  return Number(items.get("")?.[0]);
}

/** The deviation that explains the difference. */
export function deviationOf(query: string, want: Answer, got: Answer): Deviation | undefined {
  return DEVIATIONS.find(({ explains }) => explains(query, want, got));
}

function isSameBy(change: (points: readonly string[]) => readonly string[], want: Answer, got: Answer): boolean {
  return difference(withPoints(want, change), withPoints(got, change)) === undefined;
}

function withoutCategories(point: string): string {
  if (!point.startsWith("[")) return point;
  const [time, line, { structuredMetadata = {}, parsed = {} } = {}] = JSON.parse(point);
  return JSON.stringify([time, line, Object.entries({ ...structuredMetadata, ...parsed }).sort()]);
}

function withoutEmpty(name: string): string {
  return name.replaceAll(/"[^"]*":"",?/g, "").replace(/,}$/, "}");
}
