import type { FieldFilter } from "@sightline/model/log-store.ts";
import type { LabelFilter } from "../ast.ts";
import { DETECTED_LEVEL } from "../detected-level.ts";
import { inSingleLines, matchesAnything, matchesNothing } from "./label-filter.ts";
import { EXTRACTED } from "./parser-hints.ts";

/** Labels that the engine makes of what no store looks for. */
const MADE_HERE: ReadonlySet<string> = new Set([DETECTED_LEVEL, "observed_timestamp", "scope_name", "scope_version"]);

/** Stores know the label: see {@link FieldFilter}. */
export function isStoredLabel(name: string): boolean {
  return !MADE_HERE.has(name) && !name.startsWith("__") && !name.endsWith(EXTRACTED);
}

/** A conjunction that every record meets that the filter lets through; `isExact`: and no other record. */
export type LoweredLabelFilter = { readonly fields: readonly FieldFilter[]; readonly isExact: boolean };

/** The filter as log stores know it, of labels that no stage has changed. */
export function lowerLabelFilter(filter: LabelFilter): LoweredLabelFilter {
  if (filter.kind === "and") {
    const [left, right] = [lowerLabelFilter(filter.left), lowerLabelFilter(filter.right)];
    return { fields: [...left.fields, ...right.fields], isExact: left.isExact && right.isExact };
  }
  if (filter.kind !== "matcher") return { fields: [], isExact: false };
  if (matchesAnything(filter.matcher)) return { fields: [], isExact: true };
  if (matchesNothing(filter.matcher)) return { fields: [], isExact: false };
  const { name, op, value } = inSingleLines(filter.matcher);
  return isStoredLabel(name) ? { fields: [{ name, op, value }], isExact: true } : { fields: [], isExact: false };
}
