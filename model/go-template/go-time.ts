/** A moment, and the zone in which it is shown: an IANA name, or minutes east of UTC. */
export type GoTime = { readonly ns: bigint; readonly zone: Zone };
export type Zone = { readonly name: string } | { readonly name: string; readonly offsetMinutes: number };
export const UTC: Zone = { name: "UTC", offsetMinutes: 0 };
const NS_PER_MS = 1_000_000n;
/** Go's zero time, the first of January of the year 1. */
export const ZERO_TIME: GoTime = { ns: -62_135_596_800n * 1_000_000_000n, zone: UTC };

const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** Undefined when there is no such zone. */
export function loadZone(name: string): Zone | undefined {
  if (name === "" || name === "UTC" || name === "Local") return UTC;
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return { name };
  } catch {
    return undefined;
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

function offsetMinutes(zone: Zone, ms: number): number {
  if ("offsetMinutes" in zone) return zone.offsetMinutes;
  const text = zonePart(zone, ms, "longOffset");
  const match = /GMT([+-])(\d{2}):(\d{2})/.exec(text);
  return match ? (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) : 0;
}

function zonePart(zone: Zone, ms: number, style: "longOffset" | "short", locale = "en-US"): string {
  const key = `${style} ${locale} ${zone.name}`;
  let format = formats.get(key);
  if (!format) {
    if (formats.size > 1_000) formats.clear();
    format = new Intl.DateTimeFormat(locale, { timeZone: zone.name, timeZoneName: style });
    formats.set(key, format);
  }
  return format.formatToParts(ms).find(({ type }) => type === "timeZoneName")?.value ?? "";
}

function abbreviation(zone: Zone, ms: number): string {
  if ("offsetMinutes" in zone) return zone.name === "" ? offsetText(zone.offsetMinutes, "") : zone.name;
  // Each language has names only for zones that its people know.
  const known = ABBREVIATIONS[zone.name];
  if (known) return known;
  for (const locale of ABBREVIATING) {
    const short = zonePart(zone, ms, "short", locale);
    if (!short.startsWith("GMT") || short === "GMT") return short;
  }
  return offsetText(offsetMinutes(zone, ms), "").replace(/00$/, "");
}
const ABBREVIATING = ["en-US", "en-GB", "en-AU", "en-NZ", "en-ZA", "en-IN", "en-HK"];
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  "Asia/Dubai": "+04",
  "Asia/Tokyo": "JST",
  "Asia/Seoul": "KST",
  "Asia/Shanghai": "CST",
  "Asia/Taipei": "CST",
  "Asia/Manila": "PST",
  "Asia/Jakarta": "WIB",
  "Asia/Karachi": "PKT",
  "Europe/Moscow": "MSK",
  "Africa/Lagos": "WAT",
  "Africa/Nairobi": "EAT",
};

function offsetText(minutes: number, separator: string): string {
  const absolute = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(absolute / 60))}${separator}${two(absolute % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** Elements of Go's layouts, longer ones before those they begin with. */
const LAYOUT =
  /January|Jan|Monday|Mon|MST|2006|__2|_2|002|Z07:00:00|Z070000|Z07:00|Z0700|Z07|-07:00:00|-070000|-07:00|-0700|-07|[.,]0+(?!\d)|[.,]9+(?!\d)|01|02|03|04|05|06|15|PM|pm|1|2|3|4|5/g;

type Fields = {
  readonly date: Date;
  readonly fractionNs: bigint;
  readonly offset: number;
  readonly zoneName: string;
};

const FORMATTERS: Readonly<Record<string, (fields: Fields) => string>> = {
  January: ({ date }) => MONTHS[date.getUTCMonth()] as string,
  Jan: ({ date }) => (MONTHS[date.getUTCMonth()] as string).slice(0, 3),
  Monday: ({ date }) => DAYS[date.getUTCDay()] as string,
  Mon: ({ date }) => (DAYS[date.getUTCDay()] as string).slice(0, 3),
  MST: ({ zoneName }) => zoneName,
  "2006": ({ date }) => String(date.getUTCFullYear()).padStart(4, "0"),
  "06": ({ date }) => two(date.getUTCFullYear() % 100),
  "01": ({ date }) => two(date.getUTCMonth() + 1),
  "1": ({ date }) => String(date.getUTCMonth() + 1),
  "02": ({ date }) => two(date.getUTCDate()),
  _2: ({ date }) => String(date.getUTCDate()).padStart(2, " "),
  "2": ({ date }) => String(date.getUTCDate()),
  "002": ({ date }) => String(dayOfYear(date)).padStart(3, "0"),
  __2: ({ date }) => String(dayOfYear(date)).padStart(3, " "),
  "15": ({ date }) => two(date.getUTCHours()),
  "03": ({ date }) => two(date.getUTCHours() % 12 || 12),
  "3": ({ date }) => String(date.getUTCHours() % 12 || 12),
  "04": ({ date }) => two(date.getUTCMinutes()),
  "4": ({ date }) => String(date.getUTCMinutes()),
  "05": ({ date }) => two(date.getUTCSeconds()),
  "5": ({ date }) => String(date.getUTCSeconds()),
  PM: ({ date }) => (date.getUTCHours() >= 12 ? "PM" : "AM"),
  pm: ({ date }) => (date.getUTCHours() >= 12 ? "pm" : "am"),
};

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
}

/** time.Time.Format. */
export function formatGoTime({ ns, zone }: GoTime, layout: string): string {
  const ms = Number(floorDiv(ns, NS_PER_MS));
  const offset = offsetMinutes(zone, ms);
  const second = floorDiv(ns, 1_000_000_000n);
  const fields: Fields = {
    date: new Date(Number(second) * 1_000 + offset * 60_000),
    fractionNs: ns - second * 1_000_000_000n,
    offset,
    zoneName: abbreviation(zone, ms),
  };
  return layout.replaceAll(LAYOUT, (element) => formatElement(element, fields));
}

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

function formatElement(element: string, fields: Fields): string {
  const formatter = FORMATTERS[element];
  if (formatter) return formatter(fields);
  if (element.startsWith("Z") && fields.offset === 0) return "Z";
  if (/^[Z-]07/.test(element)) {
    if (element.length === 3) return offsetText(fields.offset, "").slice(0, 3);
    const seconds = element.includes(":00:00") ? ":00" : element.endsWith("0000") ? "00" : "";
    return offsetText(fields.offset, element.includes(":") ? ":" : "") + seconds;
  }
  const digits = String(fields.fractionNs)
    .padStart(9, "0")
    .slice(0, element.length - 1);
  const kept = element.includes("9") ? digits.replace(/0+$/, "") : digits;
  return kept === "" ? "" : (element[0] as string) + kept;
}

const NAMES = { month: MONTHS, day: DAYS };
/** What each element matches when a time is read, and the field that it gives. */
const PARSERS: Readonly<Record<string, readonly [pattern: string, field: string]>> = {
  January: [`(${NAMES.month.join("|")})`, "monthName"],
  Jan: [`(${NAMES.month.map((name) => name.slice(0, 3)).join("|")})`, "monthName"],
  Monday: [`(${NAMES.day.join("|")})`, ""],
  Mon: [`(${NAMES.day.map((name) => name.slice(0, 3)).join("|")})`, ""],
  MST: ["([A-Z]{3,5}|[+-]\\d{2})", "zoneName"],
  "2006": ["(\\d{4})", "year"],
  "06": ["(\\d{2})", "shortYear"],
  "01": ["(\\d{2})", "month"],
  "1": ["(\\d{1,2})", "month"],
  "02": ["(\\d{2})", "day"],
  _2: [" ?(\\d{1,2})", "day"],
  "2": ["(\\d{1,2})", "day"],
  "002": ["(\\d{3})", "yearDay"],
  __2: [" {0,2}(\\d{1,3})", "yearDay"],
  "15": ["(\\d{2})", "hour"],
  "03": ["(\\d{2})", "hour12"],
  "3": ["(\\d{1,2})", "hour12"],
  "04": ["(\\d{2})", "minute"],
  "4": ["(\\d{1,2})", "minute"],
  "05": ["(\\d{2}(?:[.,]\\d+)?)", "second"],
  "5": ["(\\d{1,2}(?:[.,]\\d+)?)", "second"],
  PM: ["(AM|PM)", "half"],
  pm: ["(am|pm)", "half"],
};

/** time.ParseInLocation; undefined when the text is not of that form. */
export function parseGoTime(layout: string, text: string, zone: Zone): GoTime | undefined {
  const fields: string[] = [];
  let pattern = "";
  let end = 0;
  for (const match of layout.matchAll(LAYOUT)) {
    pattern += escapeRegex(layout.slice(end, match.index));
    end = match.index + match[0].length;
    const [part, field] = parserOf(match[0]);
    pattern += part;
    fields.push(field);
  }
  const groups = new RegExp(`^${pattern}${escapeRegex(layout.slice(end))}$`).exec(text);
  if (!groups) return undefined;
  return timeOf(new Map(fields.map((field, i) => [field, groups[i + 1] ?? ""])), zone);
}

function escapeRegex(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$/-]/g, "\\$&");
}

function parserOf(element: string): readonly [string, string] {
  const parser = PARSERS[element];
  if (parser) return parser;
  if (element.startsWith("Z")) return ["(Z|[+-]\\d{2}(?::?\\d{2})?(?::?\\d{2})?)", "offset"];
  if (element.startsWith("-07")) return ["([+-]\\d{2}(?::?\\d{2})?(?::?\\d{2})?)", "offset"];
  // The fraction has been read with the seconds, where there is one.
  return ["()", ""];
}

function timeOf(fields: ReadonlyMap<string, string>, zone: Zone): GoTime | undefined {
  const number = (name: string, missing: number) => {
    const text = fields.get(name);
    return text === undefined || text === "" ? missing : Number.parseInt(text, 10);
  };
  const shortYear = number("shortYear", -1);
  const year = shortYear >= 0 ? (shortYear >= 69 ? 1900 : 2000) + shortYear : number("year", 0);
  const monthName = fields.get("monthName");
  const month = monthName ? MONTHS.findIndex((name) => name.startsWith(monthName.slice(0, 3))) + 1 : number("month", 1);
  const day = number("day", 1);
  const half = fields.get("half")?.toUpperCase();
  let hour = number("hour", 0);
  if (fields.has("hour12")) hour = (number("hour12", 0) % 12) + (half === "PM" ? 12 : 0);
  const [minute, second] = [number("minute", 0), number("second", 0)];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isReal = date.getUTCMonth() === month - 1 && month <= 12 && hour < 24 && minute < 60 && second < 60;
  if (!isReal) return undefined;
  const yearDay = fields.get("yearDay");
  const dayMs = yearDay ? Date.UTC(year, 0, Number(yearDay)) : date.getTime();
  const localMs = dayMs + ((hour * 60 + minute) * 60 + second) * 1_000;
  const fraction = /[.,](\d+)/.exec(fields.get("second") ?? "")?.[1] ?? "";
  const { utcMs, shown } = placed(localMs, fields.get("offset"), fields.get("zoneName"), zone);
  return { ns: BigInt(utcMs) * NS_PER_MS + BigInt(fraction.slice(0, 9).padEnd(9, "0")), zone: shown };
}

function placed(localMs: number, offset: string | undefined, zoneName: string | undefined, zone: Zone) {
  if (offset !== undefined && offset !== "") {
    const match = /^([+-])(\d{2}):?(\d{2})?/.exec(offset);
    if (!match) return { utcMs: localMs, shown: UTC };
    const minutes = (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3] ?? 0));
    return { utcMs: localMs - minutes * 60_000, shown: minutes === 0 ? UTC : { name: "", offsetMinutes: minutes } };
  }
  if (zoneName === "UTC") return { utcMs: localMs, shown: UTC };
  const guess = localMs - offsetMinutes(zone, localMs) * 60_000;
  return { utcMs: localMs - offsetMinutes(zone, guess) * 60_000, shown: zone };
}
