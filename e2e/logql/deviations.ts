import { type Answer, difference, withNames, withPoints } from "./compare-answers.ts";

/** Where Sightline answers otherwise than Loki, on purpose. */
export type Deviation = {
  readonly reason: string;
  readonly explains: (query: string, want: Answer, got: Answer) => boolean;
};

const errorOf = (answer: Answer) => ("error" in answer ? answer.error : "");

/** What both are changed by before they are compared: several may come together. */
type Otherwise = {
  readonly reason: string;
  readonly applies: (query: string, want: Answer) => boolean;
  readonly change: (answer: Answer) => Answer;
};
const OTHERWISE: readonly Otherwise[] = [
  {
    reason:
      "where a label of a line comes from is what it is for this line; Loki has it of an earlier one with the same labels",
    applies: (_, want) => "type" in want && want.type === "streams",
    change: withoutCategories,
  },
  {
    reason: "series that differ in a label that is empty in one of them; Loki shows both with the same labels",
    applies: () => true,
    change: (answer) => withNames(answer, withoutEmpty),
  },
  {
    reason: "a later error hides a field of the line that is called __error__; Loki shows any of them",
    applies: (_, want) => namesOf(want).some((name) => /"__error__":"(?!\w+Err")/.test(name)),
    change: (answer) => withNames(answer, (name) => name.replaceAll(/"__error__":"[^"]*",?/g, "")),
  },
  {
    reason: "a text that is cut within a character ends with U+FFFD; Loki has its first bytes, and in labels a space",
    applies: (query) => query.includes("{{"),
    change: (answer) =>
      withNames(
        withPoints(answer, (points) => points.map(cutOnce)),
        withoutReplacements,
      ),
  },
  {
    reason: "two lines of one stream and time that become the same text are two lines; Loki shows one",
    applies: (query) => /line_format/.test(query),
    change: (answer) => withPoints(answer, (points) => [...new Set(points)]),
  },
];

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
    reason: `what is written otherwise: ${OTHERWISE.map(({ reason }) => reason).join("; ")}`,
    explains: (query, want, got) => {
      const fitting = OTHERWISE.filter(({ applies }) => applies(query, want));
      const alike = (answer: Answer) => fitting.reduce((changed, { change }) => change(changed), answer);
      return difference(alike(want), alike(got)) === undefined;
    },
  },
  {
    reason: "series of a query are limited to query.logs.max_series, not to 500",
    explains: (_, want) => /^400 maximum number of series \(500\) reached/.test(errorOf(want)),
  },
  {
    reason: "a name in a selector may have any letter; Loki can't read again what it makes of such a query",
    explains: (query, want, got) =>
      /unexpected STRING, expecting IDENTIFIER or }|failed to enqueue/.test(errorOf(want)) &&
      /[^\x20-\x7e]|[$@?~\\']/.test(query) &&
      "items" in got,
  },
  {
    reason: "the average by the label that is unwrapped; Loki divides a sum by it by a count that does not have it",
    explains: (query) => /\bavg\b/.test(query) && isByUnwrapped(query),
  },
  {
    reason: "labels that hold parts of characters can be told apart by where they come from; Loki fails",
    explains: (_, want, got) => /invalid UTF-8 rune/.test(errorOf(want)) && "items" in got,
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

function isByUnwrapped(query: string): boolean {
  const names = [...query.matchAll(/unwrap (?:\w+\()?(\w+)/g)].map(([, name]) => name);
  return names.some((name) => new RegExp(`\\bby \\([^)]*\\b${name}\\b`).test(query));
}

function namesOf(answer: Answer): readonly string[] {
  return "items" in answer ? [...answer.items.keys()] : [];
}

/** Each line with all of its labels, wherever they come from. */
function withoutCategories(answer: Answer): Answer {
  if ("error" in answer) return answer;
  const items = new Map<string, string[]>();
  for (const [name, points] of answer.items) {
    for (const point of points) {
      const [time, line, { structuredMetadata = {}, parsed = {} } = {}] = JSON.parse(point);
      const labels = Object.entries({ ...JSON.parse(name), ...structuredMetadata, ...parsed });
      const key = JSON.stringify(Object.fromEntries(labels.sort(([a], [b]) => (a < b ? -1 : 1))));
      items.set(key, [...(items.get(key) ?? []), JSON.stringify([time, line])]);
    }
  }
  for (const points of items.values()) points.sort();
  return { type: answer.type, items };
}

/** However many bytes of a character are left. */
function cutOnce(text: string): string {
  return text.replaceAll(/\ufffd+/g, "\ufffd");
}

function withoutReplacements(name: string): string {
  return name.replaceAll(/\ufffd+/g, " ");
}

function withoutEmpty(name: string): string {
  return name.replaceAll(/"[^"]*":"",?/g, "").replace(/,}$/, "}");
}
