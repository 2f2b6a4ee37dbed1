import { parseDocument } from "yaml";

/** Aliases in a rendered text could make much of little. */
const MAX_ALIASES = 100;

/** Of YAML 1.1, what Go's yaml.v2 does not leave as text, as it does dates and numbers to the base of sixty. */
function isOfGo(tag: string | { readonly tag?: string; readonly format?: string }): boolean {
  return typeof tag === "string" || (tag.format !== "TIME" && !tag.tag?.endsWith(":timestamp"));
}

/**
 * A copy of what a configuration says in which every text is rendered, keys too. A text that then reads as YAML (a number, a
 * list, an object) becomes that, and stays as it is from there on (DeepCopyWithTemplate of Alertmanager).
 */
export function renderDeep(value: unknown, render: (template: string) => string): unknown {
  if (typeof value === "string") return inlineValue(render(value));
  if (Array.isArray(value)) return value.map((item) => renderDeep(item, render));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [render(key), renderDeep(item, render)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function inlineValue(text: string): unknown {
  const document = parseDocument(text, {
    version: "1.1",
    customTags: (tags) => tags.filter(isOfGo),
    uniqueKeys: false,
    logLevel: "silent",
  });
  if (document.errors.length > 0) return text;
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return typeof value === "string" ? text : sorted(value);
  } catch {
    return text;
  }
}

/** Go writes maps with their keys in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, sorted(item)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
