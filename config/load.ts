import { readFileSync } from "node:fs";
import { InvalidInputError } from "@sightline/model/errors.ts";
import { parseDocument } from "yaml";
import type { z } from "zod";
import { type Config, configSchema } from "./schema.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Section = { [key: string]: Json };

/** Where a value came from, so that an error can say where to mend it. */
export type ConfigSources = {
  /** Path of a YAML file, undefined when there is none. */
  readonly file: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Dotted key to text, from the command line. */
  readonly flags: Readonly<Record<string, string>>;
};

const ENV_PREFIX = "SIGHTLINE_";

/**
 * Defaults, then the file, then `SIGHTLINE_*` variables (`SIGHTLINE_LISTEN`, nested keys with two underscores:
 * `SIGHTLINE_LOG__LEVEL`), then flags; the later wins. `${NAME}` and `${NAME:-default}` in the file are replaced from the
 * environment. Throws {@link InvalidInputError} with one line per wrong key: the key, what is wrong, what to write.
 */
export function loadConfig(sources: ConfigSources): Config {
  const merged: Section = sources.file === undefined ? {} : readFile(sources.file, sources.env);
  const origin = new Map<string, string>();
  for (const [name, text] of Object.entries(sources.env)) {
    if (!name.startsWith(ENV_PREFIX) || text === undefined) continue;
    const path = name.slice(ENV_PREFIX.length).toLowerCase().split("__");
    origin.set(path.join("."), name);
    setAt(merged, path, parseScalar(text, path));
  }
  for (const [key, text] of Object.entries(sources.flags)) {
    const path = key.split(".");
    origin.set(key, `--${key.replaceAll("_", "-")}`);
    setAt(merged, path, parseScalar(text, path));
  }
  const result = configSchema.safeParse(merged);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => describe(issue, origin, sources.file));
  throw new InvalidInputError(
    `the configuration has ${lines.length === 1 ? "an error" : `${lines.length} errors`}:\n  ${lines.join("\n  ")}`,
  );
}

function readFile(path: string, env: ConfigSources["env"]): Section {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new InvalidInputError(`--config ${path}: ${(cause as Error).message}`, { cause });
  }
  const value = readYaml(substitute(text, path, env), path);
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new InvalidInputError(`${path}: the file must be a YAML map of keys; see config/default.yaml`);
  }
  return value;
}

/** Throws `InvalidInputError` also for an alias without its anchor, and for aliases that unfold into very much. */
function readYaml(text: string, path: string): Json {
  const document = parseDocument(text, { prettyErrors: true });
  try {
    const [error] = document.errors;
    if (error) throw error;
    return document.toJS() as Json;
  } catch (cause) {
    throw new InvalidInputError(`${path}: ${(cause as Error).message}`, { cause });
  }
}

function substitute(text: string, path: string, env: ConfigSources["env"]): string {
  return text.replace(/\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}/g, (_, name: string, fallback?: string) => {
    const value = env[name] ?? fallback;
    if (value === undefined)
      throw new InvalidInputError(`${path}: \${${name}} is not set; export it or write \${${name}:-default}`);
    return value;
  });
}

function setAt(target: Section, path: readonly string[], value: Json): void {
  let section = target;
  for (const key of path.slice(0, -1)) {
    const next = section[key];
    if (typeof next === "object" && next !== null && !Array.isArray(next)) section = next;
    else {
      const created: Section = {};
      section[key] = created;
      section = created;
    }
  }
  section[path.at(-1) as string] = value;
}

/** Text of a variable or flag as YAML would read it, except for keys whose value is a text anyway. */
function parseScalar(text: string, path: readonly string[]): Json {
  if (TEXT_KEYS.has(path.join("."))) return text;
  const document = parseDocument(text);
  // What is no YAML is a text that is checked as one.
  if (document.errors.length > 0) return text;
  return (readYaml(text, path.join(".")) as Json | undefined) ?? text;
}
const TEXT_KEYS = new Set(["data_dir", "listen", "otlp_grpc", "otlp_http", "target", "memory_limit"]);

function describe(issue: z.core.$ZodIssue, origin: Map<string, string>, file: string | undefined): string {
  const key = issue.path.map(String).join(".");
  const where = origin.get(key) ?? (file !== undefined ? file : "default");
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(issue.path);
    return issue.keys
      .map((name) => {
        const full = key === "" ? name : `${key}.${name}`;
        const nearest = closest(name, known);
        const hint = nearest === undefined ? `known keys here: ${known.join(", ")}` : `did you mean ${nearest}?`;
        return `${full}: unknown key (${origin.get(full) ?? where}); ${hint}`;
      })
      .join("\n  ");
  }
  return `${key || "(top level)"}: ${issue.message} (${where})`;
}

/** The keys of the section at `path`, read from the schema's defaults. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let section: unknown = configSchema.parse({});
  for (const key of path) section = (section as Record<PropertyKey, unknown> | undefined)?.[key];
  return section !== null && typeof section === "object" ? Object.keys(section) : [];
}

function closest(name: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(name, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
