import { WINDOW_COLUMNS, type WindowColumn } from "@sightline/model/downsampling/windows.ts";

/** `tiers.tier`: samples that stayed, as they were. */
export const STAYED = 1;
/** What the table of pages has in that place. */
export const AS_IT_CAME = 0;

/** `tiers.tier`: a column of windows, each at the time of its last sample. */
export function tierOf(column: WindowColumn): number {
  return STAYED + 1 + WINDOW_COLUMNS.indexOf(column);
}
