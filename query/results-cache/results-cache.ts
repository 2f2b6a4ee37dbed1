import type { DataVersion } from "@sightline/model/metric-store.ts";
import type { Extent } from "./extent.ts";

/** Extents that ascend and do not overlap, all of the data as it was at `version` of the store. */
export type CachedResult = { readonly version: DataVersion; readonly extents: readonly Extent[] };

/**
 * Where results of range queries are kept. It may forget whatever it likes, and must give back what was put last. The
 * extents belong to everybody from then on: read only.
 */
export interface ResultsCache {
  get(key: string): Promise<CachedResult | undefined>;
  /** `bytes` is about what the result takes. */
  put(key: string, result: CachedResult, bytes: number): Promise<void>;
}
