import { labelsFrom } from "@sightline/model/labels.ts";
import { tenantId } from "@sightline/model/tenant.ts";
import { expect, test } from "vitest";
import { bucketOf, bucketOfId, idRange, nextId, seriesIdentity } from "./series-id.ts";

const SHOP = tenantId("shop");

test("ids are what they were in earlier releases", () => {
  const { id, digest } = seriesIdentity(SHOP, labelsFrom({ __name__: "up", job: "a" }));
  expect([id, digest]).toEqual([FIRST_ID, FIRST_DIGEST]);
});
const FIRST_ID = 896268233910675211n;
const FIRST_DIGEST = 5757487647417896961n;

test("series of one metric and tenant are neighbours, and positive", () => {
  for (const metric of ["up", "", "http.server.duration"]) {
    const bucket = bucketOf(SHOP, metric);
    const [low, high] = idRange(bucket);
    for (const job of ["a", "b", "c"]) {
      const { id } = seriesIdentity(SHOP, labelsFrom({ __name__: metric, job }));
      expect(id >= low && id <= high && bucketOfId(id) === bucket).toBe(true);
    }
  }
  expect(bucketOf(SHOP, "up")).not.toBe(bucketOf(tenantId("bank"), "up"));
});

test("the next id stays with the metric", () => {
  const [low, high] = idRange(65_535);
  expect(nextId(low)).toBe(low + 1n);
  expect(nextId(high)).toBe(low);
  expect(high).toBe(2n ** 63n - 1n);
});
