import { type Label, type Labels, labelValue } from "@sightline/model/labels.ts";
import type { FieldFilter, LogCountGroup, LogRequest } from "@sightline/model/log-store.ts";
import { DETECTED_LEVEL, LEVEL_FIELDS, levelOfLabels } from "../detected-level.ts";
import type { LogReader } from "../log-reader.ts";
import { type CountPlan, LEVEL_SOURCES } from "./count-plan.ts";

/** More are not worth it. */
const MAX_GROUPS = 10_000;
const LEVEL_NAMES: ReadonlySet<string> = new Set(LEVEL_FIELDS);

/** Records that are alike in all that a query looks at. */
export type CountedGroup = {
  /** Sorted. */
  readonly labels: Labels;
  readonly counted: LogCountGroup;
};
/** `restFields`: what those records are like that are in no group, as their level is in their lines. */
export type CountedGroups = {
  readonly groups: readonly CountedGroup[];
  readonly restFields: readonly FieldFilter[] | undefined;
};

/** Undefined when the store can't tell: then the records have to be read. */
export async function countGroups(
  store: LogReader,
  { by, needsLevel, withBytes }: CountPlan,
  request: Omit<LogRequest, "newestFirst" | "limit"> & { readonly bucketNs: bigint },
  signal: AbortSignal,
): Promise<CountedGroups | undefined> {
  const counted = await store.counts?.({ ...request, by, withBytes, maxGroups: MAX_GROUPS }, signal);
  if (!counted) return undefined;
  const groups: CountedGroup[] = [];
  let restFields: readonly FieldFilter[] | undefined;
  let isLevelOfStream: boolean | undefined;
  for (const group of counted) {
    const labels = labelsOf(by, group.values);
    if (!needsLevel) {
      groups.push({ labels, counted: group });
      continue;
    }
    // Labels of the stream come before all others, and nothing here says which labels are of the stream.
    if (labels.filter(([name]) => LEVEL_NAMES.has(name)).length > 1) {
      isLevelOfStream ??= await haveStreamsLevels(store, request, signal);
      if (isLevelOfStream) return undefined;
    }
    const level = levelOf(labels);
    if (level !== undefined) groups.push({ labels: sorted([...labels, [DETECTED_LEVEL, level]]), counted: group });
    else restFields = LEVEL_SOURCES.map((name) => ({ name, op: "=", value: "" }));
  }
  return { groups, restFields };
}

function labelsOf(names: readonly string[], values: readonly string[]): Labels {
  return sorted(names.map((name, i): Label => [name, values[i] as string]).filter(([, value]) => value !== ""));
}

/** Undefined when the line must tell. */
function levelOf(labels: Labels): string | undefined {
  const known = labelValue(labels, DETECTED_LEVEL);
  return known === "" ? levelOfLabels([], labels, Number(labelValue(labels, "severity_number"))) : known;
}

/** True when nobody can tell. */
async function haveStreamsLevels(
  store: LogReader,
  { tenant, range, matchers }: Pick<LogRequest, "tenant" | "range" | "matchers">,
  signal: AbortSignal,
): Promise<boolean> {
  const streams = await store.streams?.({ tenant, range, matchers }, signal);
  return !streams || streams.some(({ labels }) => labels.some(([name]) => LEVEL_NAMES.has(name)));
}

/** By name; each name once, the first. */
function sorted(labels: Label[]): Labels {
  const unique = labels.filter(([name], i) => labels.findIndex((other) => other[0] === name) === i);
  return unique.sort(([a], [b]) => (a < b ? -1 : 1));
}
