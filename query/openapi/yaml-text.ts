/** Plain JSON data as YAML: maps and lists by indentation, texts as JSON has them, which YAML reads as well. */
export function yamlText(value: unknown, indent = ""): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return " []\n";
    return `\n${value.map((entry) => `${indent}-${entryText(entry, `${indent}  `)}`).join("")}`;
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
    if (entries.length === 0) return " {}\n";
    return `\n${entries.map(([key, entry]) => `${indent}${keyText(key)}:${yamlText(entry, `${indent}  `)}`).join("")}`;
  }
  return ` ${JSON.stringify(value)}\n`;
}

/** An entry of a list begins on the line of its dash. */
function entryText(entry: unknown, indent: string): string {
  const text = yamlText(entry, indent);
  return text.startsWith("\n") ? ` ${text.slice(1 + indent.length)}` : text;
}

function keyText(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
}
