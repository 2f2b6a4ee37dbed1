import { InvalidInputError } from "@sightline/model/errors.ts";
import type { LabelMatcher } from "./label-matcher.ts";
import { parseClassicMatcher, parseClassicMatchers } from "./parse-classic-matchers.ts";
import { parseUtf8Matcher, parseUtf8Matchers } from "./parse-utf8-matchers.ts";

/**
 * Which matchers and label names are allowed (Alertmanager's feature flags `classic-mode` and `utf8-strict-mode`). `fallback`,
 * the default: names may be anything, and matchers that only the older syntax knows are still understood.
 */
export type SyntaxMode = "classic" | "utf8" | "fallback";

/** Longer than anybody writes; parsing takes time and memory in proportion. */
const MAX_MATCHERS_LENGTH = 64 * 1024;
const CLASSIC_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Reads matchers and label names in one mode (matcher/compat/parse.go). Throws `InvalidInputError` in its words. */
export class MatcherSyntax {
  readonly mode: SyntaxMode;

  constructor(mode: SyntaxMode) {
    this.mode = mode;
  }

  isLabelName(name: string): boolean {
    return this.mode === "classic" ? CLASSIC_NAME.test(name) : name !== "" && name.isWellFormed();
  }

  matcher(text: string): LabelMatcher {
    if (this.mode !== "classic" && (text.startsWith("{") || text.endsWith("}"))) {
      throw new InvalidInputError(`unexpected open or close brace: ${text}`);
    }
    const one = (parse: (text: string) => LabelMatcher) => (input: string) => [parse(input)];
    return this.#parse(text, one(parseClassicMatcher), one(parseUtf8Matcher))[0] as LabelMatcher;
  }

  matchers(text: string): readonly LabelMatcher[] {
    return this.#parse(text, parseClassicMatchers, parseUtf8Matchers);
  }

  #parse(
    text: string,
    classic: (text: string) => LabelMatcher[],
    utf8: (text: string) => LabelMatcher[],
  ): LabelMatcher[] {
    if (text.length > MAX_MATCHERS_LENGTH) {
      throw new InvalidInputError(`matchers are longer than ${MAX_MATCHERS_LENGTH} characters`);
    }
    if (this.mode === "classic") return classic(text);
    if (this.mode === "utf8") return utf8(text);
    const [newer, older] = [attempt(() => utf8(text)), attempt(() => classic(text))];
    if ("error" in newer) {
      if ("error" in older) throw older.error;
      return older.matchers;
    }
    // Where both understand it, and not the same, it means what it has always meant.
    return "error" in older || isSame(newer.matchers, older.matchers) ? newer.matchers : older.matchers;
  }
}

type Attempt = { readonly matchers: LabelMatcher[] } | { readonly error: InvalidInputError };

function attempt(parse: () => LabelMatcher[]): Attempt {
  try {
    return { matchers: parse() };
  } catch (error) {
    if (error instanceof InvalidInputError) return { error };
    throw error;
  }
}

function isSame(a: readonly LabelMatcher[], b: readonly LabelMatcher[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, op, value }, i) => name === b[i]?.name && op === b[i]?.op && value === b[i]?.value)
  );
}
