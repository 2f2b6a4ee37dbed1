import type { MetricStore } from "@sightline/model/metric-store.ts";
import { tenantId } from "@sightline/model/tenant.ts";

/** A store under test on data of its own. */
export type MetricStoreFixture = {
  readonly store: MetricStore;
  /** Abandons the newest store as `kill -9` would, without flushing, and opens what it kept. */
  reopen(): Promise<MetricStore>;
  dispose(): Promise<void>;
};

/** What a test is given; ask for it in the test, not before. */
export type Given = () => { readonly store: MetricStore; readonly fixture: MetricStoreFixture };

export const MINUTE = 60_000;
const NOW = Math.floor(Date.now() / MINUTE) * MINUTE;
/** When tests write: an hour ago. */
export const T = NOW - 60 * MINUTE;
export const OTHER_TENANT = tenantId("other");
