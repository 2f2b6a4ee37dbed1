import type { Attribute, Attributes } from "@sightline/model/attributes.ts";
import { lokiLabelName } from "@sightline/model/loki-label-name.ts";
import type { LogRow } from "./log-batch-of.ts";

/**
 * The value that a row has as a label, the slow and obvious way; "" when it lacks it, undefined when several of its
 * attributes are known by that name.
 */
export function labelOfRow(row: Required<LogRow>, name: string): string | undefined {
  const label = row.labels[name];
  if (label !== undefined && label !== "") return label;
  const fields: Attributes = [
    { name: "trace_id", type: "string", value: row.traceId },
    { name: "span_id", type: "string", value: row.spanId },
    { name: "severity_text", type: "string", value: row.severityText },
    { name: "severity_number", type: "int", value: row.severity === 0 ? "" : String(row.severity) },
  ];
  const own = valuesOf([...row.attributes, ...fields], name);
  if (own.length > 0) return own.length === 1 ? own[0] : undefined;
  const scope: Attributes = [
    ...row.scope.attributes,
    { name: "scope_name", type: "string", value: row.scope.name },
    { name: "scope_version", type: "string", value: row.scope.version },
  ];
  const others = [...valuesOf(row.resource, name), ...valuesOf(scope, name)];
  return others.length > 1 ? undefined : (others[0] ?? "");
}

function valuesOf(attributes: Attributes, name: string): string[] {
  return attributes.flatMap(leavesOf).flatMap(([path, value]) => {
    return lokiLabelName(path) === name && value !== "" ? [value] : [];
  });
}

type Leaf = readonly [path: string, value: string];

function leavesOf({ name, type, value }: Attribute): Leaf[] {
  return type === "json" && value.startsWith("{") ? leavesOfMap(name, JSON.parse(value)) : [[name, value]];
}

function leavesOfMap(prefix: string, map: object): Leaf[] {
  return Object.entries(map).flatMap(([key, value]): Leaf[] => {
    const path = `${prefix}_${key}`;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return leavesOfMap(path, value);
    return [[path, typeof value === "string" ? value : JSON.stringify(value)]];
  });
}
