import type { SelectHints } from "../metric-store.ts";
import type { WindowColumn } from "./windows.ts";

/** What a function is given of a window: its value, and whether it asks how many samples that is of. */
export type WindowUse = { readonly column: WindowColumn; readonly counted: boolean };

const USES: ReadonlyMap<string, WindowUse> = new Map([
  ["sum_over_time", { column: "sums", counted: false }],
  ["min_over_time", { column: "mins", counted: false }],
  ["max_over_time", { column: "maxs", counted: false }],
  ["avg_over_time", { column: "sums", counted: true }],
  ["count_over_time", { column: "counts", counted: true }],
]);

/** What the function that samples are for makes of windows; undefined when it needs samples. */
export function useOfWindows(hints: SelectHints | undefined): WindowUse | undefined {
  return hints?.aggregated ? USES.get(hints.func) : undefined;
}
