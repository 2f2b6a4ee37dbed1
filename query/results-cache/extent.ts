import type { MatrixSeries } from "../promql/result.ts";

/** Steps from the first to the last, both included; the time between two of them is that of the query. */
export type StepRange = { readonly startMs: number; readonly endMs: number };

/** The whole result at some steps of a query. `series` are sorted by labels; those without a value there are missing. */
export type Extent = StepRange & { readonly series: readonly MatrixSeries[] };
