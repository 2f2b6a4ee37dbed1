import type { Labels } from "@sightline/model/labels.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import { JsonError, JsonScanner } from "./pipeline/json-scanner.ts";
import { LogfmtScanner } from "./pipeline/logfmt-scanner.ts";

/** The label that holds the level, as structured metadata. */
export const DETECTED_LEVEL = "detected_level";
/** Labels and fields whose value is the level, the first that is there (Loki's log_level_fields). */
export const LEVEL_FIELDS = [
  "level",
  "LEVEL",
  "Level",
  "log.level",
  "severity",
  "SEVERITY",
  "Severity",
  "SeverityText",
  "lvl",
  "LVL",
  "Lvl",
  "severity_text",
  "Severity_Text",
  "SEVERITY_TEXT",
] as const;
const FIELD_SET: ReadonlySet<string> = new Set(LEVEL_FIELDS);
/** Objects in a line are searched so deep. */
const MAX_JSON_DEPTH = 2;

const LEVEL_OF_WORD: ReadonlyMap<string, string> = new Map([
  ["trace", "trace"],
  ["trc", "trace"],
  ["debug", "debug"],
  ["dbg", "debug"],
  ["info", "info"],
  ["inf", "info"],
  ["information", "info"],
  ["warn", "warn"],
  ["wrn", "warn"],
  ["warning", "warn"],
  ["error", "error"],
  ["err", "error"],
  ["critical", "critical"],
  ["fatal", "fatal"],
]);
/** By OpenTelemetry severity number: four of them to a level. */
const LEVEL_OF_SEVERITY = ["trace", "debug", "info", "warn", "error", "fatal"];
const UNKNOWN = "unknown";

/** Characters of a line in which its level is looked for. */
const MAX_SEARCHED = 131_072;

/** The level of a record as Loki finds it when it takes the record in (pkg/distributor/field_detection.go). */
export class LevelDetector {
  readonly #json = new JsonScanner();
  readonly #logfmt = new LogfmtScanner();

  /** `metadata` is what the record has beside the stream's labels. */
  detect(batch: LogBatch, row: number, stream: Labels, metadata: Labels): string {
    const severity = batch.severities[row] as number;
    return levelOfLabels(stream, metadata, severity) ?? this.#ofLine(batch.bodies[row] as string);
  }

  #ofLine(whole: string): string {
    const line = whole.length > MAX_SEARCHED ? whole.slice(0, MAX_SEARCHED) : whole;
    let word: string | undefined;
    if (/^\s*\{/.test(line) && /\}\s*$/.test(whole.slice(-100))) word = this.#ofJson(line);
    else if (line.includes("=")) word = this.#ofLogfmt(line);
    return LEVEL_OF_WORD.get(word?.toLowerCase() ?? "") ?? levelInText(line);
  }

  #ofJson(line: string): string | undefined {
    let found: string | undefined;
    const search = (from: number, depth: number): boolean =>
      this.#json.eachMember(from, (key, value) => {
        if (value.type === "string" && FIELD_SET.has(key)) found = this.#json.text(value);
        else if (value.type === "object" && depth < MAX_JSON_DEPTH) search(value.start, depth + 1);
        return found === undefined;
      });
    this.#json.start(line);
    try {
      search(0, 1);
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
    }
    return found;
  }

  #ofLogfmt(line: string): string | undefined {
    let best: number = LEVEL_FIELDS.length;
    let found: string | undefined;
    this.#logfmt.start(line);
    while (!this.#logfmt.isAtEnd && this.#logfmt.next()) {
      const key = this.#logfmt.key.toLowerCase();
      const rank = LEVEL_FIELDS.findIndex((field) => field.toLowerCase() === key);
      if (rank === -1 || rank >= best) continue;
      best = rank;
      found = this.#logfmt.value;
      if (rank === 0) break;
    }
    return found;
  }
}

const RANKS: ReadonlyMap<string, number> = new Map(LEVEL_FIELDS.map((field, rank) => [field, rank]));

function firstOf(labels: Labels): string | undefined {
  let best: number = LEVEL_FIELDS.length;
  let found: string | undefined;
  for (const [name, value] of labels) {
    const rank = RANKS.get(name);
    if (rank === undefined || rank >= best || value === "") continue;
    best = rank;
    found = value;
  }
  return found;
}

/** The level, as far as it is known without the line. */
export function levelOfLabels(stream: Labels, metadata: Labels, severityNumber: number): string | undefined {
  const named = firstOf(stream) ?? firstOf(metadata);
  if (named !== undefined) return LEVEL_OF_WORD.get(named.toLowerCase()) ?? named;
  if (severityNumber > 0) return LEVEL_OF_SEVERITY[Math.floor((severityNumber - 1) / 4)] ?? UNKNOWN;
  return undefined;
}

const WORD =
  /(?<![^ \t\n[({"'=|])(?:trace|debug|fatal|critical|error|err|warning|warn|info)(?![^ \t\n[\]({}):,!"'=|])/i;

/** By the first word that stands by itself and is a level. */
function levelInText(line: string): string {
  const word = WORD.exec(line)?.[0].toLowerCase();
  return word === undefined ? UNKNOWN : (LEVEL_OF_WORD.get(word) as string);
}
