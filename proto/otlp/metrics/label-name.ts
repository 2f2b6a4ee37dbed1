/**
 * The label name for an attribute (otlptranslator, label_namer.go): with `escaping`, whatever is not a letter, digit or
 * underscore becomes an underscore, runs of them become one, `__reserved__` names keep theirs, and `key_` goes before a
 * digit. Undefined when nothing but underscores would be left.
 */
export function labelName(attribute: string, escaping: boolean): string | undefined {
  const name = escaping ? escapeLabelName(attribute) : attribute;
  return /^_*$/.test(name) ? undefined : name;
}

function escapeLabelName(attribute: string): string {
  const reserved = attribute.length >= 4 && attribute.startsWith("__") && attribute.endsWith("__");
  const name = (reserved ? attribute.slice(2, -2) : attribute).replace(/[^a-zA-Z0-9]+/gu, "_");
  if (reserved) return `__${name}__`;
  return /^[0-9]/.test(name) ? `key_${name}` : name;
}
