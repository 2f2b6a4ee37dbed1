import { compileRegex } from "@sightline/model/regex.ts";
import type { PatternStage, RegexpStage } from "../ast.ts";
import { JsonError, JsonScanner, jsonStringText, MALFORMED_ESCAPE, unescapeJson } from "./json-scanner.ts";
import { type LabelBuilder, MAX_FIELDS, TOO_MANY_FIELDS } from "./label-builder.ts";
import { LabelNames, labelNameOfKey } from "./label-name.ts";
import { parsePattern } from "./pattern.ts";
import { regexCaptures } from "./regex-captures.ts";
import { JSON_ERROR, type PipelineRow, type Stage } from "./stage.ts";

/** False when a filter on the label drops the line. */
function setParsed(labels: LabelBuilder, plain: string, value: string): boolean {
  const name = labels.freeName(plain);
  if (!labels.hints.wants(name)) return true;
  labels.set(name, value);
  return labels.hints.keepsLine(name, labels);
}

/** `| regexp "…"`: named groups of the first match become labels. */
export function regexpStage({ source }: RegexpStage): Stage {
  const { regex, names } = regexCaptures(source);
  const labelNames = names.map(labelNameOfKey);
  return {
    reads: [],
    apply({ line, labels }) {
      const groups = regex.find(line);
      if (!groups) return true;
      for (let i = 1; i < groups.length; i++) {
        const name = labelNames[i] as string;
        if (name !== "" && !setParsed(labels, name, groups[i] as string)) return false;
      }
      return true;
    },
  };
}

/** `| pattern "…"` */
export function patternStage({ pattern: text }: PatternStage): Stage {
  const pattern = parsePattern(text);
  return {
    reads: [],
    apply({ line, labels }) {
      if (labels.hints.noLabels) return true;
      for (const [i, value] of pattern.captures(line).entries()) {
        if (!setParsed(labels, pattern.names[i] as string, value)) return false;
      }
      return true;
    },
  };
}

/** Under this key Promtail's pack stage keeps the line. */
const PACKED_LINE = "_entry";

/** `| unpack`: strings become labels, and `_entry` the line. Without an `_entry` nothing changes. */
export function unpackStage(): Stage {
  const scanner = new JsonScanner();
  const names = new LabelNames(labelNameOfKey);
  return {
    reads: [],
    apply(row) {
      const { line, labels } = row;
      if (line === "" || labels.hints.noLabels) return true;
      if (!line.startsWith("{")) {
        labels.failParsing(JSON_ERROR, "expecting json object(6), but it is not");
        return true;
      }
      scanner.start(line);
      return unpack(row, scanner, names);
    },
  };
}

function unpack(row: PipelineRow, scanner: JsonScanner, names: LabelNames): boolean {
  const { labels } = row;
  let packed: string | undefined;
  const found: [string, string][] = [];
  try {
    scanner.eachMember(0, (key, value) => {
      if (value.type !== "string") return true;
      const raw = scanner.text(value);
      if (key === PACKED_LINE) {
        packed = unescapeJson(raw);
        if (packed === undefined) throw MALFORMED_ESCAPE;
      } else {
        const name = labels.freeName(key);
        if (found.length >= MAX_FIELDS) throw new JsonError(TOO_MANY_FIELDS);
        if (labels.hints.wants(name)) found.push([names.of(name), jsonStringText(raw, value.hasEscapes)]);
      }
      return true;
    });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    labels.failParsing(JSON_ERROR, error.message);
    return true;
  }
  if (packed === undefined) return true;
  row.line = packed;
  for (const [name, value] of found) {
    labels.set(name, value);
    if (!labels.hints.keepsLine(name, labels)) return false;
  }
  return true;
}

/** Escape sequences of terminals, those that colour text among them. */
const ANSI =
  "[\u001B\u009B][[\\]()#;?]*(?:(?:(?:[a-zA-Z\\d]*(?:;[a-zA-Z\\d]*)*)?\u0007)|(?:(?:\\d{1,4}(?:;\\d{0,4})*)?[\\dA-PRZcf-ntqry=><~]))";

/** `| decolorize` */
export function decolorizeStage(): Stage {
  const escapes = compileRegex(ANSI);
  return {
    reads: [],
    apply(row) {
      const mayHave = row.line.includes("\u001b") || row.line.includes("\u009b");
      if (mayHave) row.line = escapes.replaceAll(row.line, "", true);
      return true;
    },
  };
}
