import type { RandomNumbers } from "../../promql-random-numbers.ts";

/** A stream as Loki's JSON push has it: labels, and entries of a time (ns), a line and structured metadata. */
export type PushStream = {
  readonly stream: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [string, string, Readonly<Record<string, string>>])[];
};

/** How long the records take, from the beginning on. */
export const RECORDS_MS = 600_000;
/** Apps whose lines are of one kind, and the number of lines of each. */
const APPS = { json: 220, logfmt: 220, access: 120, text: 160, packed: 90, numbers: 150, equal: 60 } as const;
export type App = keyof typeof APPS;
export const APP_NAMES = Object.keys(APPS) as App[];
export const ENVIRONMENTS = ["prod", "dev", "Ünï"];
export const REGIONS = ["eu-1", "us-2"];

export const WORDS = [
  "alpha",
  "Beta",
  "gamma ray",
  "ERROR",
  "timeout",
  "日本語",
  "x=y",
  'q"q',
  "back\\slash",
  "é",
  "info",
  "",
];
export const METHODS = ["GET", "POST", "put", "DELETE"];
export const STATUSES = ["200", "204", "404", "500", "503", "-1", "007"];
export const DURATIONS = ["12ms", "1.5s", "250us", "2m3s", "1h", "0", "3µs", "oops", "-4s", "1d"];
export const SIZES = ["512B", "1.5KiB", "3 MB", "10", "big", "2kb", "1GiB", "0", "-5B", "1e3"];
export const NUMBERS = [
  "0",
  "1",
  "-2.5",
  "1e3",
  "NaN",
  "+Inf",
  "-Inf",
  "0x10",
  "1_000",
  "",
  "abc",
  "3.14159",
  "99999999999999999999",
];
export const IPS = [
  "10.0.0.1",
  "192.168.4.77",
  "2001:db8::1",
  "::ffff:10.1.2.3",
  "999.1.1.1",
  "not-an-ip",
  "10.0.0.255",
];
const LEVELS = [
  "info",
  "WARN",
  "Error",
  "err",
  "debug",
  "FATAL",
  "critical",
  "notice",
  "trace",
  "Warning",
  "information",
  "E",
  "unknown",
  "",
];

const quote = (text: string) => JSON.stringify(text);

function jsonLine(random: RandomNumbers, i: number): string {
  const kind = random.weighted({ full: 60, odd: 12, deep: 8, cut: 6, wrong: 8, scalar: 4, spaced: 4 });
  const fields = [
    `"${random.one(["level", "lvl", "severity", "LEVEL"])}":${quote(random.one(LEVELS))}`,
    `"msg":${quote(`did ${random.one(WORDS)} ${i}`)}`,
    `"method":${quote(random.one(METHODS))}`,
    `"status":${random.chance(0.7) ? random.integer(200, 504) : quote(random.one(STATUSES))}`,
    `"took":${quote(random.one(DURATIONS))}`,
    `"size":${quote(random.one(SIZES))}`,
    `"n":${random.one(["1", "-0.5", "1.50", "1e3", "12345678901234567890", "0.1e-7", "true", "null", '"7"'])}`,
    `"ip":${quote(random.one(IPS))}`,
    `"user":{"id":${i % 7},"name":${quote(random.one(WORDS))},"tags":["a",${i % 3},{"k":"v"}],"addr":{"city":"Köln","zip":null}}`,
    ...(random.chance(0.3) ? [`"app":"from the line","env":${quote(random.one(ENVIRONMENTS))}`] : []),
    ...(random.chance(0.2) ? ['"a.b":"dotted","a-b":"dashed","1st":"digit","":"empty key"," sp ace ":"x"'] : []),
    ...(random.chance(0.2) ? ['"method":"again"'] : []),
    ...(random.chance(0.2) ? ['"esc":"tab\\t nl\\n u\\u00e9 \\ud83d\\ude00 \\/ quote\\""'] : []),
    ...(random.chance(0.1) ? ['"bad":"\\ud800"'] : []),
    ...(random.chance(0.15) ? ['"empty":{},"none":[],"list":[1,[2,3]],"t":true,"f":false'] : []),
  ];
  const line = `{${fields.join(",")}}`;
  switch (kind) {
    case "odd":
      return random.one([
        `{"msg":"x","msg":"y","user_id":"flat","user":{"id":"nested"}}`,
        `{"__error__":"mine","__line__":"l","service_name":"s","detected_level":"mine"}`,
        `{"a":{"b":{"c":{"d":{"e":"deep"}}}},"a_b_c_d_e":"flat"}`,
        `{"_entry":"packed in json","method":"GET"}`,
        `{"ts":"2026-01-02T03:04:05Z","took_extracted":"1s","method_extracted":"m"}`,
      ]);
    case "deep":
      return `${'{"d":'.repeat(i % 12)}"end"${"}".repeat(i % 12)}`;
    case "cut":
      return line.slice(0, random.integer(1, line.length - 1));
    case "wrong":
      return random.one([
        `${line} trailing`,
        `prefix ${line}`,
        "{'single':'quotes'}",
        '{"a":1,}',
        '{"a" 1}',
        "{a:1}",
        '{"a":01}',
        '{"a":"line\nbreak"}',
        "{",
        "{}",
        '{"a":nul}',
        '{"method":"GET","b":tru}',
        '{"method":"POST" "x":1}',
      ]);
    case "scalar":
      return random.one(["[1,2,3]", '"text"', "42", "null", "true", '[{"method":"GET"}]', ""]);
    case "spaced":
      return `  { "method" : ${quote(random.one(METHODS))} , "status" :  404 , "user" : { "id" : "sp" } }  `;
    default:
      return line;
  }
}

function logfmtLine(random: RandomNumbers, i: number): string {
  const pairs = [
    `${random.one(["level", "lvl", "severity"])}=${random.one(LEVELS)}`,
    `method=${random.one(METHODS)}`,
    `status=${random.one(STATUSES)}`,
    `took=${random.one(DURATIONS)}`,
    `size=${quote(random.one(SIZES))}`,
    `n=${random.one(NUMBERS)}`,
    `ip=${random.one(IPS)}`,
    `msg=${quote(random.one(WORDS))}`,
    `seq=${i}`,
    ...(random.chance(0.3) ? ["empty= flag"] : []),
    ...(random.chance(0.2) ? [`method=${random.one(METHODS)}`] : []),
    ...(random.chance(0.2) ? ["a.b=dotted a-b=dashed 1st=digit ключ=значение"] : []),
    ...(random.chance(0.15) ? ['esc="tab\\t nl\\n u\\u00e9 \\"in\\" \\\\ \\x"'] : []),
    ...(random.chance(0.15) ? [`app=line env=${random.one(ENVIRONMENTS)}`] : []),
    ...(random.chance(0.06)
      ? [
          random.one([
            'broken="never',
            "=x",
            'a"b=1',
            'k="v"tail',
            'k="v"x=1',
            "k==v",
            '"quoted key"=1',
            "k=v=w",
            'k=va"lue',
            "  ",
            "\t",
            'k=""',
            "==",
            "k= v",
          ]),
        ]
      : []),
  ];
  return pairs.join(random.chance(0.1) ? "  " : " ");
}

function accessLine(random: RandomNumbers, i: number): string {
  return `${random.one(IPS)} - ${random.one(["ann", "bob", "-"])} [${i}] "${random.one(METHODS)} /item/${i % 9}?q=${random.one(["a", "%20", ""])} HTTP/1.1" ${random.one(STATUSES)} ${i * 111} "${random.one(["-", "https://x.y/z"])}" "curl/8.${i % 4}"`;
}

function textLine(random: RandomNumbers, i: number): string {
  return random.one([
    `${random.one(LEVELS)}: could not reach ${random.one(IPS)} after ${random.one(DURATIONS)}`,
    `[${random.one(LEVELS)}] ${random.one(WORDS)} ${i}`,
    `\u001b[3${i % 8}m${random.one(LEVELS)}\u001b[0m ${random.one(WORDS)} \u001b[1;4mbold\u001b[22m`,
    "",
    " ",
    "\t tab and \u0000 nul",
    `café ünïcode 日本語 😀 ${i}`,
    `multi line\n  at ${random.one(WORDS)}\r\n  end`,
    `${"long ".repeat(i % 40 === 0 ? 3_000 : 30)}${i}`,
    `a=${i} level=${random.one(LEVELS)} c`,
    `{{ template }} <pattern> [class] (group) $1 \\d+ ${i}`,
    `ip ${random.one(IPS)}:8080, ${random.one(IPS)}; ${i}`,
    `${quote(random.one(WORDS))} 'single' \`back\``,
  ]);
}

function packedLine(random: RandomNumbers, i: number): string {
  const entry = random.one([`level=info value=${i}`, '{"inner":"json"}', "", random.one(WORDS)]);
  return random.one([
    JSON.stringify({ pod: `p-${i % 3}`, zone: random.one(WORDS), _entry: entry }),
    JSON.stringify({ pod: `p-${i % 3}`, n: 1, nested: { a: "b" }, _entry: entry, app: "packed over" }),
    JSON.stringify({ pod: `p-${i % 3}`, zone: "no entry" }),
    `{"_entry":${i},"pod":"x"}`,
    `not packed ${i}`,
    `{"pod":"cut","_entry":"${i}`,
    '["_entry"]',
  ]);
}

function numbersLine(random: RandomNumbers, i: number): string {
  return `total=${(i % 23) * 7} temp=${(random.fraction() * 40 - 20).toFixed(2)} odd=${random.one(NUMBERS)} took=${random.one(DURATIONS.slice(0, 6))} size=${random.one(SIZES).replace(" ", "")} k=${random.one(["a", "b"])}`;
}

const LINES: Readonly<Record<App, (random: RandomNumbers, i: number) => string>> = {
  json: jsonLine,
  logfmt: logfmtLine,
  access: accessLine,
  text: textLine,
  packed: packedLine,
  numbers: numbersLine,
  equal: (random, i) => `same time ${i} ${random.one(WORDS)} level=${random.one(LEVELS)}`,
};

function metadata(random: RandomNumbers, app: App, i: number): Record<string, string> {
  return {
    ...(random.chance(0.4) && { trace_id: (0xabc000 + (i % 20)).toString(16).padStart(32, "0") }),
    ...(random.chance(0.3) && { user_id: `u-${i % 5}`, ratio: String(i / 8) }),
    ...(random.chance(0.15) && { [random.one(["level", "severity_text", "lvl"])]: random.one(LEVELS.slice(0, -1)) }),
    // Of the same name as a label of the stream, or as what is parsed from the line.
    ...(random.chance(0.1) && { env: "from metadata", method: "MD" }),
    ...(random.chance(0.1) && { took: random.one(DURATIONS), size: random.one(SIZES) }),
    ...(app === "text" && random.chance(0.2) && { note: random.one(WORDS.slice(0, -1)) }),
    ...(random.chance(0.05) && { "odd.name": "dotted" }),
  };
}

/** Several streams for each app, the same for the same seed. Some entries are late, those of `equal` share their times. */
export function randomStreams(random: RandomNumbers, startMs: number): PushStream[] {
  type Growing = { readonly stream: PushStream["stream"]; readonly values: PushStream["values"][number][] };
  const streams = new Map<string, Growing>();
  let serial = 0;
  for (const app of APP_NAMES) {
    const stepMs = RECORDS_MS / APPS[app];
    for (let i = 0; i < APPS[app]; i++) {
      const stream = {
        app,
        env: random.one(ENVIRONMENTS),
        ...(random.chance(0.5) && { region: random.one(REGIONS) }),
        ...(app === "text" && random.chance(0.3) && { level: random.one(["Warn", "info"]) }),
      };
      // A nanosecond of its own for each record, so that their order is known; late ones come after newer ones.
      const late = random.chance(0.05) ? -20_000 : 0;
      const atMs = Math.max(0, Math.floor(i * stepMs) + late);
      const ns = BigInt(startMs + atMs) * 1_000_000n + BigInt(app === "equal" ? 0 : serial);
      const time = app === "equal" ? BigInt(startMs + Math.floor(i / 6) * 55_000) * 1_000_000n : ns;
      serial += 1 + (i % 3) * 1_000;
      const key = JSON.stringify(stream);
      const known: Growing = streams.get(key) ?? { stream, values: [] };
      streams.set(key, known);
      known.values.push([String(time), LINES[app](random, i), metadata(random, app, i)]);
    }
  }
  return [...streams.values()];
}
