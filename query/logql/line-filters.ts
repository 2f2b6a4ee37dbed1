import type { LineFilter } from "@sightline/model/ports.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import type { LineFilterStage } from "./ast.ts";

/**
 * A stage as the conjunction of simple filters that every log store knows. Alternatives of `|=` and `|~` become one
 * regular expression; those of `!=` and `!~` one filter each, as no alternative may be found.
 */
export function lowerLineFilter({ op, texts }: LineFilterStage): readonly LineFilter[] {
  const negative = op === "!=" || op === "!~";
  // Everything contains the empty text: as an alternative it lets every line pass.
  if (!negative && texts.includes("")) return [];
  if (negative || texts.length === 1) return texts.map((text) => ({ op, text }));
  const alternatives = texts.map((text) => `(?:${op === "|=" ? escapeRegex(text) : text})`);
  return [{ op: "|~", text: alternatives.join("|") }];
}

/** The RE2 expression that matches `text` and nothing else. */
function escapeRegex(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, "\\$&");
}

/** Throws `InvalidInputError` for an expression that is not RE2. */
export function compileLineFilters(filters: readonly LineFilter[]): (line: string) => boolean {
  const tests = filters.map(compileLineFilter);
  return (line) => {
    for (const test of tests) if (!test(line)) return false;
    return true;
  };
}

function compileLineFilter({ op, text }: LineFilter): (line: string) => boolean {
  if (op === "|=") return (line) => line.includes(text);
  if (op === "!=") return (line) => !line.includes(text);
  const regex = compileRegex(text);
  return op === "|~" ? (line) => regex.matchesSomewhere(line) : (line) => !regex.matchesSomewhere(line);
}
