import type { RandomNumbers } from "../../promql-random-numbers.ts";

/** Functions of templates by what they take; a text stands for `text`, a number for `number`. */
const OF_TEXT = [
  "lower",
  "upper",
  "title",
  "trim",
  "ToLower",
  "ToUpper",
  "TrimSpace",
  "b64enc",
  "b64dec",
  "urlencode",
  "urldecode",
  "len",
  "int",
  "float64",
  "bytes",
  "duration",
  "duration_seconds",
  "trunc 3",
  "trunc -4",
  "substr 1 4",
  "substr 0 -1",
  'replace "e" "E"',
  'contains "a"',
  'hasPrefix "a"',
  'hasSuffix "r"',
  "indent 2",
  "nindent 1",
  "repeat 2",
  'trimAll "ae"',
  'trimPrefix "d"',
  'trimSuffix "T"',
  'default "none"',
  "alignLeft 6",
  "alignRight 6",
  'printf "%s"',
  'printf "%q"',
  'printf "%-8s|"',
  'printf "%5.2s|"',
  'printf "%x"',
  'printf "%v"',
  'count "e"',
  "html",
  "js",
  "urlquery",
  "print",
  "println",
  'eq "GET"',
  'ne "GET"',
  "not",
  "unixToTime",
] as const;
const OF_TEXT_BEFORE = [
  (text: string) => `Replace ${text} "a" "o" 1`,
  (text: string) => `Trim ${text} "ae"`,
  (text: string) => `TrimLeft ${text} "d"`,
  (text: string) => `TrimRight ${text} "T"`,
  (text: string) => `TrimPrefix ${text} "d"`,
  (text: string) => `TrimSuffix ${text} "T"`,
  (text: string) => `regexReplaceAll "[aeiou](.)" ${text} "<$1>"`,
  (text: string) => `regexReplaceAll "(?P<first>[a-z]+)" ${text} "\${first}!"`,
  (text: string) => `regexReplaceAllLiteral "[0-9]+" ${text} "$0"`,
  (text: string) => `index ${text} 0`,
  (text: string) => `slice ${text} 0 1`,
  (text: string) => `lt ${text} "m"`,
  (text: string) => `printf "%s-%d" ${text} 5`,
  (text: string) => `fromJson ${text}`,
];
const OF_NUMBERS = ["add", "sub", "mul", "div", "mod", "addf", "subf", "mulf", "divf", "max", "min", "maxf", "minf"];
const OF_NUMBER = [
  "ceil",
  "floor",
  "int",
  "float64",
  'printf "%d"',
  'printf "%.2f"',
  'printf "%v"',
  'printf "%T"',
  'printf "%05d"',
  'printf "%e"',
  'printf "%g"',
];
/** Called with whatever comes, as nobody would. */
const CALLED = [
  ...["add", "sub", "mul", "div", "mod", "addf", "subf", "mulf", "divf", "max", "min", "maxf", "minf", "round", "ceil"],
  ...[
    "floor",
    "int",
    "float64",
    "lower",
    "ToUpper",
    "title",
    "trim",
    "trunc",
    "substr",
    "replace",
    "Replace",
    "contains",
  ],
  ...["hasPrefix", "Trim", "TrimLeft", "TrimSpace", "indent", "trimAll", "default", "alignLeft", "alignRight", "count"],
  ...["regexReplaceAll", "regexReplaceAllLiteral", "urlencode", "b64dec", "bytes", "duration", "duration_seconds"],
  ...[
    "unixEpoch",
    "unixEpochMillis",
    "toDate",
    "toDateInZone",
    "date",
    "unixToTime",
    "fromJson",
    "len",
    "index",
    "slice",
  ],
  ...[
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "and",
    "or",
    "not",
    "print",
    "println",
    "printf",
    "html",
    "js",
    "urlquery",
    "nope",
  ],
];
const ARGUMENTS = [
  ...[
    '""',
    '"a"',
    '"5"',
    '"-3.7"',
    '"1h"',
    '"%d %v"',
    '"%s"',
    '"("',
    "-1",
    "0",
    "1",
    "3",
    "2.5",
    "1e3",
    "0x1F",
    "true",
  ],
  ...["nil", "'a'", "__line__", "__timestamp__", "$", ".", "`raw`"],
  ...[
    '(fromJson "[1,\\"a\\"]")',
    '(fromJson "{\\"a\\":1}")',
    '(fromJson "null")',
    "(int 7)",
    "(float64 1.5)",
    "(len __line__)",
  ],
];
const FORMS = [
  (field: string, text: string) => `{{ if ${field} }}yes ${text}{{ else }}no{{ end }}`,
  (field: string, text: string) => `{{ with ${field} }}[{{ . }}]{{ else }}${text}{{ end }}`,
  (field: string) => `{{ $x := ${field} }}{{ $x | lower }}{{- " trimmed " -}} {{ $x }}`,
  (field: string) =>
    `{{ if and ${field} (ne ${field} "GET") }}A{{ else if eq ${field} "GET" "POST" }}B{{ else }}C{{ end }}`,
  () => "{{ range $k, $v := . }}{{ $k }}={{ $v }};{{ end }}",
  () => '{{ range $i, $c := (fromJson "[1,2.5,null,\\"x\\"]") }}{{ $i }}:{{ $c }},{{ end }}',
  () => "{{ with (fromJson __line__) }}{{ .method }}{{ end }}",
  () => '{{ __timestamp__ | date "2006-01-02T15:04:05.000000000Z07:00" }}',
  () => "{{ unixEpochNanos __timestamp__ }} {{ unixEpochMillis __timestamp__ }} {{ unixEpoch __timestamp__ }}",
  () => '{{ __timestamp__.Format "15:04" }} {{ __timestamp__.Year }}',
  () =>
    '{{ (toDate "2006-01-02" "2024-05-06").Unix }} {{ toDateInZone "2006-01-02 15:04" "Europe/Berlin" "2024-05-06 10:00" | unixEpoch }}',
  () => "{{/* a comment */}}x",
];

/** Templates of the kind that people write into `line_format`, from fields with these names. */
export class RandomTemplates {
  readonly #random: RandomNumbers;

  constructor(random: RandomNumbers) {
    this.#random = random;
  }

  template(names: readonly string[]): string {
    const random = this.#random;
    const parts = Array.from({ length: random.integer(1, 3) }, () => this.#part(names));
    return parts.join(random.one([" ", "", "|", " - "]));
  }

  #part(names: readonly string[]): string {
    const kind = this.#random.weighted({ field: 4, text: 8, number: 4, form: 3, literal: 1, odd: 3 });
    if (kind === "literal") return this.#random.one(["plain", "ü", "100%", "$", "\\n"]);
    if (kind === "field") return `{{${this.#field(names)}}}`;
    if (kind === "odd") return `{{ ${this.#oddCall(names)} }}`;
    if (kind === "form") return this.#random.one(FORMS)(this.#field(names), "t");
    return `{{ ${kind === "text" ? this.#textCall(names) : this.#numberCall(names)} }}`;
  }

  #field(names: readonly string[]): string {
    return this.#random.chance(0.12) ? "__line__" : `.${this.#random.one(names)}`;
  }

  #oddCall(names: readonly string[]): string {
    const random = this.#random;
    const argument = () => (random.chance(0.25) ? this.#field(names) : random.one(ARGUMENTS));
    const call = () => [random.one(CALLED), ...Array.from({ length: random.integer(0, 3) }, argument)].join(" ");
    return random.chance(0.25) ? `${call()} | ${call()}` : call();
  }

  #textCall(names: readonly string[]): string {
    const random = this.#random;
    const start = random.chance(0.3) ? random.one(OF_TEXT_BEFORE)(this.#field(names)) : this.#field(names);
    const calls = Array.from({ length: random.integer(start.startsWith(".") ? 1 : 0, 2) }, () => random.one(OF_TEXT));
    return [start, ...calls].join(" | ");
  }

  #numberCall(names: readonly string[]): string {
    const random = this.#random;
    const operand = () =>
      random.one([this.#field(names), String(random.integer(-3, 9)), "2.5", '"7"', `(int ${this.#field(names)})`]);
    const call = random.chance(0.2) ? `round ${operand()} 2` : `${random.one(OF_NUMBERS)} ${operand()} ${operand()}`;
    return random.chance(0.4) ? `${call} | ${random.one(OF_NUMBER)}` : call;
  }
}
