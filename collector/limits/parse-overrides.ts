import { InvalidInputError } from "@sightline/model/errors.ts";
import { tenantId } from "@sightline/model/tenant.ts";
import { type Document, isScalar, LineCounter, parseDocument, visit } from "yaml";
import { type TenantConfig, tenantConfig } from "./tenant-config.ts";

/** Settings of the tenants that have some of their own, defaults filled in. */
export type Overrides = ReadonlyMap<string, TenantConfig>;
type Section = { readonly [key: string]: unknown };

/** Throws {@link InvalidInputError} with one line per mistake: file, tenant, key, what is wrong. */
export function parseOverrides(text: string, defaults: TenantConfig, path: string): Overrides {
  const value = readYaml(text, path) ?? {};
  if (!isSection(value)) throw new InvalidInputError(`${path}: must be a map of tenants to their settings`);
  const overrides = new Map<string, TenantConfig>();
  const mistakes: string[] = [];
  for (const [tenant, settings] of Object.entries(value)) {
    try {
      overrides.set(tenantId(tenant), parseOne(tenant, settings, defaults));
    } catch (mistake) {
      mistakes.push((mistake as Error).message);
    }
  }
  if (mistakes.length > 0) throw new InvalidInputError(`${path}:\n  ${mistakes.join("\n  ")}`);
  return overrides;
}

/** Aliases without their anchors, and those that unfold into very much, show only when it is made into a value. */
function readYaml(text: string, path: string): unknown {
  const lineCounter = new LineCounter();
  try {
    // The library compares each key with all others of its map, and words all mistakes of a text that has thousands.
    const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false, lineCounter });
    const [first] = document.errors;
    if (first) throw new InvalidInputError(`${first.message}${placeOf(first.pos[0], lineCounter)}`, { cause: first });
    refuseRepeatedKeys(document, lineCounter);
    return document.toJS();
  } catch (cause) {
    throw new InvalidInputError(`${path}: ${(cause as Error).message}`, { cause });
  }
}

function refuseRepeatedKeys(document: Document, lineCounter: LineCounter): void {
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          throw new InvalidInputError(
            `the key ${String(key.value)} comes twice${placeOf(key.range?.[0] ?? 0, lineCounter)}`,
          );
        }
        seen.add(key.value);
      }
    },
  });
}

function placeOf(offset: number, lineCounter: LineCounter): string {
  const { line, col } = lineCounter.linePos(offset);
  return ` at line ${line}, column ${col}`;
}

function parseOne(tenant: string, settings: unknown, defaults: TenantConfig): TenantConfig {
  if (settings !== null && !isSection(settings)) throw new InvalidInputError(`${tenant}: must be a map`);
  const result = tenantConfig.safeParse(merge(defaults, settings ?? {}));
  if (result.success) return result.data;
  const lines = result.error.issues.map(
    (issue) => `${[tenant, ...issue.path].map(String).join(".")}: ${issue.message}`,
  );
  throw new InvalidInputError(lines.join("\n  "));
}

function merge(base: unknown, over: unknown): unknown {
  if (!isSection(base) || !isSection(over)) return over;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = merge(base[key], value);
  return merged;
}

function isSection(value: unknown): value is Section {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
