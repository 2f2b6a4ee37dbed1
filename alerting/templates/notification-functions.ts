import { formatGoTime, loadZone, parseGoTime, UTC, ZERO_TIME } from "@sightline/model/go-template/go-time.ts";
import {
  GoMap,
  GoTimeValue,
  type GoValue,
  Int64,
  NamedInt,
  NamedText,
  typeName,
} from "@sightline/model/go-template/go-value.ts";
import {
  ofStrings,
  type TemplateFunction,
  type TemplateFunctions,
} from "@sightline/model/go-template/template-function.ts";
import { durationOf } from "@sightline/model/go-template/value-methods.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import type { LabelMap } from "../alert.ts";
import { goJson, jsonValue } from "./go-json.ts";
import { humanizeSeconds } from "./humanize-duration.ts";
import { stringSlice } from "./template-values.ts";
import { weighed } from "./value-weight.ts";

/** What functions are told beside their arguments. */
export type NotificationContext = { readonly nowMs: number; readonly routeLabels: LabelMap };
type Function = TemplateFunction<NotificationContext>;

/** Case changes of single characters, as Go's unicode tables have them: ß stays. */
function mapCharacters(text: string, change: (char: string) => string): string {
  let out = "";
  for (const char of text) {
    const changed = change(char);
    out += [...changed].length === 1 ? changed : char;
  }
  return out;
}

/** `ß` begins a word as `Ss`. */
function capital(letter: string): string {
  const [first = "", ...rest] = letter.toUpperCase();
  return first + rest.join("").toLowerCase();
}

const WORDS = new Intl.Segmenter("en-US", { granularity: "word" });

/** golang.org/x/text/cases.Title: each word begins with a capital, and goes on in small letters. */
function title(text: string): string {
  let out = "";
  for (const { segment } of WORDS.segment(text)) {
    const first = segment.search(/\p{L}/u);
    if (first === -1) {
      out += segment;
      continue;
    }
    const letter = String.fromCodePoint(segment.codePointAt(first) as number);
    out += segment.slice(0, first) + capital(letter) + segment.slice(first + letter.length).toLowerCase();
  }
  return out;
}

/** Go's unicode.IsSpace. */
const SPACES =
  /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g;

function urlUnescape(text: string): string {
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(text);
  if (bad) throw new Error(`invalid URL escape ${JSON.stringify(bad[0])}`);
  const bytes = text
    .replaceAll("+", " ")
    .split(/(%[0-9a-fA-F]{2})/)
    .map((part) => (/^%[0-9a-fA-F]{2}$/.test(part) ? Buffer.from(part.slice(1), "hex") : Buffer.from(part)));
  return Buffer.concat(bytes).toString("utf8");
}

function base64Decode(text: string): string {
  const bad = /[^A-Za-z0-9_=-]/.exec(text);
  const plain = text.replace(/[\r\n]/g, "");
  if (bad && !/[\r\n]/.test(bad[0])) throw new Error(`illegal base64 data at input byte ${bad.index}`);
  if (plain.length % 4 !== 0 || !/^[A-Za-z0-9_-]*={0,2}$/.test(plain))
    throw new Error(`illegal base64 data at input byte ${Math.max(0, plain.length - 1)}`);
  return Buffer.from(plain, "base64url").toString("utf8");
}

function base64Encode(text: string): string {
  return Buffer.from(text).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

function seconds(value: GoValue): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Int64) return Number(value.value);
  if (value instanceof NamedInt && value.typeName === "time.Duration") return Number(value.value) / 1e9;
  if (typeof value === "string") {
    if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value)) return Number(value);
    const special = /^([+-]?)(inf(?:inity)?|nan)$/i.exec(value);
    if (special) return /nan/i.test(special[2] as string) ? Number.NaN : special[1] === "-" ? -Infinity : Infinity;
    throw new Error(`strconv.ParseFloat: parsing ${JSON.stringify(value)}: invalid syntax`);
  }
  throw new Error(`can't convert ${typeName(value)} to float`);
}

function dict(values: readonly GoValue[]): GoMap {
  if (values.length % 2 !== 0) throw new Error("dict requires an even number of arguments");
  const entries = new Map<string, GoValue>();
  for (let i = 0; i < values.length; i += 2) {
    const key = values[i];
    if (typeof key !== "string") throw new Error("dict keys must be strings");
    entries.set(key, values[i + 1] as GoValue);
  }
  return weighed(new GoMap(entries, true));
}

function parsedDate(layout: string, text: string): GoTimeValue | undefined {
  const time = parseGoTime(layout, text, UTC);
  return time && new GoTimeValue(time);
}

/** Problems in Go's words. */
function goRegex(pattern: string) {
  try {
    return compileRegex(pattern);
  } catch (cause) {
    throw new Error((cause as Error).message.replace(/^invalid regular expression .*?: error/s, "error"), { cause });
  }
}

const RE_REPLACE_ALL: Function = {
  parameters: ["string", "string", "string"],
  call: ([pattern, replacement, text], work) =>
    goRegex(pattern as string).replaceAll(text as string, replacement as string, false, work.charactersLeft),
};

const ROUTE_LABELS: Function = {
  parameters: ["string"],
  // The dispatcher has made texts of them: a route's label may itself be a template.
  call: ([name], _, { routeLabels }) =>
    Object.hasOwn(routeLabels, name as string) ? (routeLabels[name as string] as string) : "",
};

const NOW: Function = {
  parameters: [],
  call: (_args, _work, { nowMs }) => new GoTimeValue({ ns: BigInt(nowMs) * 1_000_000n, zone: UTC }),
};

const SINCE: Function = {
  parameters: ["time"],
  call: ([time], _, { nowMs }) => durationOf(BigInt(nowMs) * 1_000_000n - (time as GoTimeValue).time.ns),
};

const TZ: Function = {
  parameters: ["string", "time"],
  call: ([name, time]) => {
    const zone = loadZone(name as string);
    if (!zone) throw new Error(`unknown time zone ${name as string}`);
    return new GoTimeValue({ ns: (time as GoTimeValue).time.ns, zone });
  },
};

/** Functions of notification templates beside Go's own (DefaultFuncs of Alertmanager's template.go). */
export const NOTIFICATION_FUNCTIONS: TemplateFunctions<NotificationContext> = {
  toUpper: ofStrings(1, (text = "") => mapCharacters(text, (char) => char.toUpperCase())),
  toLower: ofStrings(1, (text = "") => mapCharacters(text, (char) => [...char.toLowerCase()][0] ?? char)),
  title: ofStrings(1, (text = "") => title(text)),
  trimSpace: ofStrings(1, (text = "") => text.replace(SPACES, "")),
  join: {
    parameters: ["string", "strings"],
    call: ([separator, list], work) => {
      const all = list as readonly string[];
      work.reserve((separator as string).length * all.length);
      return all.join(separator as string);
    },
  },
  match: ofStrings(2, (pattern = "", text = "") => goRegex(pattern).matchesSomewhere(text)),
  safeHtml: ofStrings(1, (text = "") => new NamedText("template.HTML", text)),
  safeUrl: ofStrings(1, (text = "") => new NamedText("template.URL", text)),
  urlUnescape: ofStrings(1, (text = "") => urlUnescape(text)),
  reReplaceAll: RE_REPLACE_ALL,
  stringSlice: { parameters: ["string"], isVariadic: true, call: stringSlice },
  routeLabels: ROUTE_LABELS,
  date: {
    parameters: ["string", "time"],
    call: ([layout, time]) => formatGoTime((time as GoTimeValue).time, layout as string),
  },
  tz: TZ,
  now: NOW,
  since: SINCE,
  humanizeDuration: { parameters: ["any"], call: ([value]) => humanizeSeconds(seconds(value as GoValue)) },
  toDate: ofStrings(2, (layout = "", text = "") => parsedDate(layout, text) ?? new GoTimeValue(ZERO_TIME)),
  mustToDate: ofStrings(2, (layout = "", text = "") => {
    const time = parsedDate(layout, text);
    if (time) return time;
    const problem = `cannot parse ${JSON.stringify(text)} as ${JSON.stringify(layout.slice(0, 4))}`;
    throw new Error(`parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: ${problem}`);
  }),
  toJson: {
    parameters: ["any"],
    // What is longer can't be written; it is not made to find that out.
    call: ([value], work) => goJson(jsonValue(value as GoValue, { left: work.charactersLeft / 16, work })),
  },
  base64encode: ofStrings(1, (text = "") => base64Encode(text)),
  base64decode: ofStrings(1, (text = "") => base64Decode(text)),
  list: { parameters: ["any"], isVariadic: true, call: (values) => weighed([...values]) },
  append: {
    parameters: ["any", "any"],
    isVariadic: true,
    call: ([list, ...more], work) => {
      if (list !== null && !Array.isArray(list)) throw new Error("the first argument of append is no list");
      const known: readonly GoValue[] = list ?? [];
      work.reserve(known.length);
      return weighed([...known, ...more]);
    },
  },
  dict: { parameters: ["any"], isVariadic: true, call: dict },
};
