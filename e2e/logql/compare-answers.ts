/** What a server says to a query: its data in a form that does not depend on the order of things without one. */
export type Answer =
  | { readonly error: string }
  | { readonly type: string; readonly items: ReadonlyMap<string, readonly string[]> };

type Stream = {
  readonly stream: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [string, string, unknown?])[];
};
type Series = {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
};
type Data = { readonly resultType: string; readonly result: readonly unknown[] };

/** Sums may be made in another order. */
const TOLERANCE = 1e-9;

export function readAnswer(status: number, text: string, isOrdered = false): Answer {
  // Of several lines with errors it names any.
  if (status !== 200) return { error: `${status} ${text.trim().replace(/^pipeline error:.*/s, "pipeline error")}` };
  const { resultType, result } = (JSON.parse(text) as { readonly data: Data }).data;
  const items = new Map<string, string[]>();
  if (resultType === "scalar") return { type: resultType, items: new Map([["", result.map(String)]]) };
  for (const [i, item] of (result ?? []).entries()) {
    const { stream, metric } = item as { readonly stream?: object; readonly metric?: object };
    const key = (isOrdered ? `${i} ` : "") + canonical(stream ?? metric ?? {});
    items.set(key, [...(items.get(key) ?? []), ...pointsOf(item as Stream & Series)]);
  }
  if (resultType === "streams") for (const lines of items.values()) lines.sort();
  return { type: resultType, items };
}

function pointsOf({ value, values, stream }: Stream & Series): string[] {
  if (stream) return (values as Stream["values"]).map((entry) => canonical(entry));
  return (value ? [value] : (values ?? [])).map((point) => `${point[0]} ${point[1]}`);
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** What differs first, in words; undefined when nothing does. */
export function difference(want: Answer, got: Answer): string | undefined {
  if ("error" in want || "error" in got) {
    const [a, b] = [describe(want), describe(got)];
    return a === b ? undefined : `want ${a}\n    got  ${b}`;
  }
  if (want.type !== got.type) return `want ${want.type}, got ${got.type}`;
  for (const [key, points] of want.items) {
    const other = got.items.get(key);
    if (!other)
      return `want ${key} with ${points[0]}\n    got  ${[...got.items.keys()].slice(0, 3).join("\n         ") || "nothing"}`;
    if (points.length !== other.length)
      return `${key}: want ${points.length} points, got ${other.length}\n    ${missing(points, other)}`;
    for (const [i, point] of points.entries()) {
      if (!samePoint(point, other[i] as string)) return `${key}:\n    want ${point}\n    got  ${other[i]}`;
    }
  }
  const extra = [...got.items.keys()].find((key) => !want.items.has(key));
  return extra === undefined ? undefined : `too many: ${extra} with ${got.items.get(extra)?.[0]}`;
}

function missing(a: readonly string[], b: readonly string[]): string {
  return `want ${a.find((point) => !b.includes(point))}, got ${b.find((point) => !a.includes(point))}`;
}

function describe(answer: Answer): string {
  return "error" in answer ? answer.error : `${answer.type} of ${answer.items.size}`;
}

function samePoint(a: string, b: string): boolean {
  if (a === b) return true;
  const [timeA, valueA] = a.split(" ");
  const [timeB, valueB] = b.split(" ");
  if (timeA !== timeB || valueA === undefined || valueB === undefined) return false;
  const [x, y] = [Number(valueA), Number(valueB)];
  return Math.abs(x - y) <= TOLERANCE * Math.max(Math.abs(x), Math.abs(y));
}

/** The answer with each point changed, and the order that it then has. */
export function withPoints(answer: Answer, change: (points: readonly string[]) => readonly string[]): Answer {
  if ("error" in answer) return answer;
  return { type: answer.type, items: new Map([...answer.items].map(([key, points]) => [key, change(points)])) };
}

/** The answer with each name of a stream or series changed; those that become one have all their points. */
export function withNames(answer: Answer, change: (name: string) => string): Answer {
  if ("error" in answer) return answer;
  const items = new Map<string, string[]>();
  for (const [name, points] of answer.items) {
    const key = change(name);
    items.set(key, [...(items.get(key) ?? []), ...points].sort());
  }
  return { type: answer.type, items };
}
