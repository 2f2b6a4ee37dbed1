import { compareLabels, type Labels, labelsFrom } from "@sightline/model/labels.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { LabelOrder } from "./label-order.ts";
import { TimeSlice } from "./time-slice.ts";

const batch = fc.record({
  added: fc.array(fc.integer({ min: 0, max: 999 }), { maxLength: 30 }),
  asked: fc.array(fc.nat({ max: 200 }), { maxLength: 30 }),
});

test("sorts any series of a table that grows, few and many of them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { maxLength: 8 }), async (batches) => {
      const labels: Labels[] = [];
      const order = new LabelOrder(labels);
      const known = new Set<number>();
      for (const { added, asked } of batches) {
        for (const number of added) {
          if (!known.has(number)) labels.push(labelsFrom({ __name__: "a", n: String(number) }));
          known.add(number);
        }
        const ids = [...new Set(asked)].filter((id) => id < labels.length).sort((a, b) => a - b);
        const want = ids.toSorted((a, b) => compareLabels(labels[a] as Labels, labels[b] as Labels));
        const slice = new TimeSlice();
        // Two at a time, as queries come.
        expect(await Promise.all([order.sort(ids, slice), order.sort(ids, slice)])).toEqual([want, want]);
      }
    }),
  );
});
