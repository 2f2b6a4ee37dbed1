import { describeMetricStore } from "./metric-store.ts";
import { ReferenceMetricStore } from "./reference-metric-store.ts";

describeMetricStore("ReferenceMetricStore", async () => {
  let store = new ReferenceMetricStore({ maxTimeMs: () => Date.now() + 3_600_000 });
  return {
    store,
    reopen: async () => {
      store = await store.crashed();
      return store;
    },
    dispose: async () => {},
  };
});
