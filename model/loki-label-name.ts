/**
 * The label name of an attribute, as Loki makes it (prometheus/otlptranslator's LabelNamer): everything but ASCII
 * letters and digits becomes an underscore, runs of them one; a name that starts with a digit gets `key_` before it.
 * "" for a name of which nothing is left, and that is no label then.
 */
export function lokiLabelName(attribute: string): string {
  const reserved = attribute.length >= 4 && attribute.startsWith("__") && attribute.endsWith("__");
  const inner = reserved ? attribute.slice(2, -2) : attribute;
  const sanitized = inner.replaceAll(/[^a-zA-Z0-9]+/g, "_");
  const name = reserved ? `__${sanitized}__` : sanitized;
  if (/^_*$/.test(name)) return "";
  return /^[0-9]/.test(name) ? `key_${name}` : name;
}

const MAX_NAMES = 10_000;
const names = new Map<string, string>();

/** As {@link lokiLabelName}, remembered. */
export function knownLokiLabelName(attribute: string): string {
  let name = names.get(attribute);
  if (name === undefined) {
    name = lokiLabelName(attribute);
    if (names.size >= MAX_NAMES) names.clear();
    names.set(attribute, name);
  }
  return name;
}
