import { InvalidInputError } from "@sightline/model/errors.ts";
import { UTC } from "@sightline/model/go-template/go-time.ts";
import { GoMap } from "@sightline/model/go-template/go-value.ts";
import { TemplateSyntaxError } from "@sightline/model/go-template/parse-template.ts";
import { TemplateExecutionError } from "@sightline/model/go-template/template-budget.ts";
import { processed } from "@sightline/query/logql/logql-test-store.ts";
import { GoTemplate } from "@sightline/query/logql/template/go-template.ts";
import { LinePatternMiner } from "@sightline/storage-embedded/patterns/line-pattern-miner.ts";
import { mutateBytes } from "../mutate/bytes.ts";
import { mutateJson } from "../mutate/json.ts";
import { mutateText } from "../mutate/text.ts";
import type { FuzzTarget } from "../target.ts";

const MAX_OUTPUT_CHARACTERS = 10_000;
/** More of them change nothing for the next one. */
const MAX_MINED_LINES = 2_000;
const JSON_STAGES = ["| json", '| json a="a[0].b", c="d"', "| unpack", '| json | line_format "{{.a}}" | a > 5'];
const TEXT_STAGES = [
  "| logfmt",
  "| logfmt --strict --keep-empty",
  '| logfmt | size > 5KB | took >= 1.5s | label_format x="{{ .a | ToUpper }}"',
  '| pattern "<ip> - <_> [<ts>] <rest>" | ip = ip("10.0.0.0/8")',
  '|= ip("10.0.0.1-10.0.0.9") | decolorize',
  "| regexp `(?P<method>\\w+) (?P<path>\\S+)`",
];
const JSON_LINE = { level: "warn", a: [{ b: "c" }, 1.5], d: { e: null, f: true }, _entry: "inner", größe: "\u00e9" };
const TEXT_LINES = [
  'level=warn size=5.5KB took=1.25s a="quoted \\" text" b= c',
  '10.0.0.7 - bob [10/Oct/2026:13:55:36 +0000] "GET /x?y=z HTTP/1.1" 200 \u001b[31mred\u001b[0m',
];
const TEMPLATES = [
  '{{ if eq .a "x" }}{{ .b | ToUpper | trunc 5 }}{{ else }}{{ range $i, $c := fromJson .json }}{{ $i }}{{ end }}{{ end }}',
  '{{ printf "%-10s|%5.2f" .a (div 7 2) }}{{ __line__ | regexReplaceAll "(l)ine" "$1" }}',
  '{{ __timestamp__ | date "2006-01-02T15:04:05Z07:00" }}{{ define "t" }}{{ . }}{{ end }}{{ template "t" .n }}',
  "{{ with .a }}{{ . | b64enc | b64dec | urlencode }}{{ end }}{{ unixEpoch __timestamp__ | substr 0 4 }}",
];

/** Lines of logs, which anybody writes, as the stages of LogQL read them; and templates. */
export function lineTargets(): readonly FuzzTarget[] {
  return [
    lines("lines of JSON", JSON_STAGES, [JSON.stringify(JSON_LINE)], mutateJson),
    lines("lines of text", TEXT_STAGES, TEXT_LINES, mutateText),
    lines("lines of bytes", [...JSON_STAGES, ...TEXT_STAGES], TEXT_LINES, mutateBytes),
    {
      name: "patterns of lines",
      share: 4,
      seeds: TEXT_LINES.map((seed) => Buffer.from(seed)),
      mutate: mutateText,
      run: mine(),
    },
    {
      name: "templates",
      share: 4,
      seeds: TEMPLATES.map((seed) => Buffer.from(seed)),
      mutate: mutateText,
      run: runTemplate,
    },
  ];
}

/** The stages are chosen by the length of the line. */
function lines(
  name: string,
  stages: readonly string[],
  seeds: readonly string[],
  mutate: FuzzTarget["mutate"],
): FuzzTarget {
  return {
    name,
    share: 2,
    seeds: seeds.map((seed) => Buffer.from(seed)),
    mutate,
    run: (bytes) => processed(stages[bytes.length % stages.length] as string, Buffer.from(bytes).toString()),
  };
}

/** Lines as they come in, one after the other to one miner. */
function mine(): FuzzTarget["run"] {
  let [miner, lines] = [new LinePatternMiner(), 0];
  return (bytes) => {
    miner.add(Buffer.from(bytes).toString(), "info", 1_790_000_000_000 + lines);
    if (++lines < MAX_MINED_LINES) return;
    for (const { pattern } of miner.patterns()) if (typeof pattern !== "string") throw new Error("no pattern");
    [miner, lines] = [new LinePatternMiner(), 0];
  };
}

function runTemplate(bytes: Uint8Array): void {
  const text = Buffer.from(bytes).toString();
  const labels = { a: "x", b: "größe", n: "42", json: '{"k":[1,{"b":"c"}]}' };
  try {
    const template = new GoTemplate("line", text, { maxOutputCharacters: MAX_OUTPUT_CHARACTERS });
    const data = new GoMap(new Map(Object.entries(labels)), false);
    const output = template.execute({ data, line: "the line", time: { ns: 1_700_000_000_123_456_789n, zone: UTC } });
    if (output.length > MAX_OUTPUT_CHARACTERS) throw new Error(`${output.length} characters came out`);
  } catch (cause) {
    if (!(cause instanceof TemplateSyntaxError) && !(cause instanceof TemplateExecutionError)) throw cause;
    throw new InvalidInputError(cause.message, { cause });
  }
}
