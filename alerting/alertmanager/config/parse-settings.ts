import { InvalidInputError } from "@sightline/model/errors.ts";
import type { z } from "zod";

/** Where a path within the value leads to in the file. */
export type PlaceOf = (path: readonly PropertyKey[]) => { readonly line: number; readonly found: string };

type Issue = z.core.$ZodIssue;

/** What Go calls the types that schemas expect. */
const GO_TYPES: Readonly<Record<string, string>> = {
  boolean: "bool",
  string: "string",
  number: "int64",
  int: "int64",
  array: "[]string",
  record: "map[string]string",
};

/** Reads a part of the file by its schema. Throws `InvalidInputError` in words of Go's YAML, or in those of the schema itself. */
export function parseSettings<T>(schema: z.ZodType<T>, value: unknown, typeName: string, place: PlaceOf): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { issues } = result.error;
  const own = issues.find(({ code }) => code === "custom");
  if (own) throw new InvalidInputError(own.message);
  const messages = issues.flatMap((issue) => {
    const { line, found } = place(issue.path);
    return complaints(issue, typeName, found).map((complaint) => `line ${line}: ${complaint}`);
  });
  throw new InvalidInputError(`yaml: unmarshal errors:\n  ${messages.join("\n  ")}`);
}

function complaints(issue: Issue, typeName: string, found: string): readonly string[] {
  const struct = issue.path[0] === "http_config" ? "config.plain" : `${typeName}.plain`;
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => `field ${key} not found in type ${struct}`);
    case "invalid_type":
      return [`cannot unmarshal ${found} into ${GO_TYPES[issue.expected] ?? struct}`];
    case "invalid_union":
      return [`cannot unmarshal ${found} into string`];
    case "too_small":
      return [`cannot unmarshal ${found} into uint64`];
    default:
      return [`${issue.path.join(".")}: ${issue.message}`];
  }
}
