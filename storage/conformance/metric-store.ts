import type { MetricStore } from "@sightline/model/metric-store.ts";
import { afterEach, beforeEach, describe } from "vitest";
import { describeChanges } from "./metric-store-changes.ts";
import { describeDeletion } from "./metric-store-deletion.ts";
import { describeRestart } from "./metric-store-durability.ts";
import type { MetricStoreFixture } from "./metric-store-fixture.ts";
import { describeLabels } from "./metric-store-labels.ts";
import { describeOtherData } from "./metric-store-other-data.ts";
import { describeRandomHistories } from "./metric-store-random.ts";
import { describeSamples } from "./metric-store-samples.ts";

/** What every {@link MetricStore} must do. The store must refuse samples in the year 2100. */
export function describeMetricStore(name: string, make: () => Promise<MetricStoreFixture>): void {
  describe(`${name} as a metric store`, () => {
    let fixture: MetricStoreFixture;
    let store: MetricStore;
    beforeEach(async () => {
      fixture = await make();
      store = fixture.store;
    });
    afterEach(() => fixture.dispose());
    const given = () => ({ store, fixture });

    describeSamples(given);
    describeLabels(given);
    describeOtherData(given);
    describeChanges(given);
    describeRestart(given);
    describeDeletion(given);
    describeRandomHistories(make);
  });
}
