/**
 * The label name for an attribute (otlptranslator, label_namer.go, with `label_name_underscore_sanitization` and
 * `label_name_preserve_multiple_underscores`, both Prometheus' defaults): with `escaping`, each character that is not a
 * letter, digit or underscore becomes an underscore, `key_` goes before a digit and `key` before a single underscore at
 * the start. Undefined when nothing but underscores would be left.
 */
export function labelName(attribute: string, escaping: boolean): string | undefined {
  const name = escaping ? escapeLabelName(attribute) : attribute;
  return /^_*$/.test(name) ? undefined : name;
}

function escapeLabelName(attribute: string): string {
  const name = attribute.replace(/[^a-zA-Z0-9]/gu, "_");
  if (/^[0-9]/.test(name)) return `key_${name}`;
  return /^_(?!_)/.test(name) ? `key${name}` : name;
}
