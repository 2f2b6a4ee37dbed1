import { z } from "zod";
import { configSchema } from "./schema.ts";

type Node = {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly enum?: readonly unknown[];
};

/** The schema as a commented YAML file in which every key has its default: the text of `default.yaml`. */
export function renderDefaultYaml(): string {
  const schema = z.toJSONSchema(configSchema, { io: "input", unrepresentable: "any" }) as Node;
  const lines = ["# Every key with its default. A configuration file needs only the keys it changes."];
  renderSection(schema, configSchema.parse({}), 0, lines);
  return `${lines.join("\n")}\n`;
}

function renderSection(node: Node, defaults: unknown, depth: number, lines: string[]): void {
  const indent = "  ".repeat(depth);
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    const value = (defaults as Record<string, unknown> | undefined)?.[key];
    if (depth === 0) lines.push("");
    if (child.description)
      lines.push(...wrap(child.description, 116 - indent.length).map((line) => `${indent}# ${line}`));
    if (child.enum) lines.push(`${indent}# One of: ${child.enum.join(", ")}.`);
    if (child.properties) {
      lines.push(`${indent}${key}:`);
      renderSection(child, value, depth + 1, lines);
    } else {
      const shown = child.default ?? value;
      lines.push(shown === undefined ? `${indent}# ${key}:` : `${indent}${key}: ${JSON.stringify(shown)}`);
    }
  }
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) as string;
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
