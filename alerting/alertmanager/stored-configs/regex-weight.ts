import { regexAlternatives } from "@sightline/model/regex-alternatives.ts";

/** What an expression costs however short it is. */
const LEAST = 20;
const MATCHERS = /(?:^|_)matchers$/;
const OLD_MATCHERS = /(?:^|_)match_re$/;

/**
 * About what the regular expressions of a configuration cost when it is read: their characters, with all repetitions written
 * out, as compiling does: `(a{20}){20}` is 400. `value` is the configuration as YAML has it, or a part of it.
 */
export function regexWeight(value: unknown, key = ""): number {
  if (typeof value === "string") return weightOf(value, key);
  if (typeof value !== "object" || value === null) return 0;
  const entries = Array.isArray(value) ? value.map((item) => [key, item] as const) : Object.entries(value);
  // Keys of old matchers are names of labels.
  return entries.reduce((sum, [name, item]) => sum + regexWeight(item, OLD_MATCHERS.test(key) ? key : name), 0);
}

function weightOf(text: string, key: string): number {
  if (OLD_MATCHERS.test(key)) return expressionWeight(text);
  if (!MATCHERS.test(key)) return 0;
  const parts = text.split(/[=!]~/).slice(1);
  return parts.reduce((sum, part) => sum + expressionWeight(part.trim().replace(/^"(.*)"\s*[,}]*$/s, "$1")), 0);
}

function expressionWeight(source: string): number {
  // Those are looked up, not compiled.
  return LEAST + (regexAlternatives(source) ? 0 : writtenOut(source));
}

/** At least as many atoms as the expression has with its repetitions written out. */
function writtenOut(source: string): number {
  const outer: number[] = [];
  let sum = 0;
  let last = 0;
  for (let i = 0; i < source.length; i++) {
    const repeated = source[i] === "{" ? /^\{(\d{1,4})(?:,(\d{0,4}))?\}/.exec(source.slice(i, i + 12)) : undefined;
    if (repeated) {
      const times = Math.max(Number(repeated[1]), Number(repeated[2] || 0), 1);
      sum += last * (times - 1);
      last *= times;
      i += repeated[0].length - 1;
    } else if (source[i] === "(") {
      outer.push(sum);
      sum = 0;
    } else if (source[i] === ")" && outer.length > 0) {
      last = sum;
      sum += outer.pop() as number;
    } else {
      if (source[i] === "\\") i++;
      last = 1;
      sum++;
    }
  }
  return outer.reduce((all, one) => all + one, sum);
}
