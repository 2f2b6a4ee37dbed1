import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { expect, test } from "vitest";
import { compactionInputs } from "./compaction.ts";
import { Segment } from "./segment-directory.ts";

/** `rows@time` or `rows@time/day`, ids counting up from 1. */
function segments(text: string): Segment[] {
  return text.split(" ").map((part, i) => {
    const [, rows, time, day = 0] = /^(\d+)@(\d+)(?:\/(\d+))?$/.exec(part) as unknown as string[];
    const info = { id: i + 1, tenant: DEFAULT_TENANT, day: Number(day), bytes: 0, dataCrc: 0, indexCrc: 0 };
    return new Segment(
      { ...info, rows: Number(rows), minNs: BigInt(time as string), maxNs: BigInt(time as string) },
      "",
    );
  });
}

test.each([
  ["too few to be worth it", "10@1 10@2 10@3", undefined],
  ["neighbours in time", "10@4 10@1 10@3 10@2", [2, 4, 3, 1]],
  ["only of one day", "10@1/1 10@2/1 10@3/2 10@4/2", undefined],
  ["small ones between large ones", "900@1 10@2 10@3 10@4 10@5 900@6", [2, 3, 4, 5]],
  ["small ones around a large one", "10@1 10@2 900@3 10@4 10@5", [1, 2, 4, 5]],
  [
    "small ones first, so that large ones are rewritten less often",
    "300@1 300@2 300@3 10@4 10@5 10@6 10@7",
    [4, 5, 6, 7],
  ],
  ["not more rows than the target", "250@1 250@2 250@3 250@4 250@5", [1, 2, 3, 4]],
  ["four of a little more than a quarter of the target", "260@1 270@2 265@3 262@4 261@5", [1, 2, 3, 4]],
  ["not to many more rows than the target", "330@1 330@2 330@3 330@4", undefined],
  ["nothing above the target", "2000@1 2000@2 2000@3 2000@4", undefined],
  [
    "not more files at a time than sixteen",
    Array.from({ length: 20 }, (_, i) => `1@${i + 10}`).join(" "),
    Array.from({ length: 16 }, (_, i) => i + 1),
  ],
])("merges %s", (_, text, want) => {
  expect(compactionInputs(segments(text), 1_000)?.map(({ info }) => info.id)).toEqual(want);
});

test("comes to an end, with few files, each row rewritten a few times", () => {
  let all: Segment[] = [];
  let rewritten = 0;
  for (let i = 0; i < 2_000; i++) {
    all.push(...segments(`100@${i}`));
    for (let inputs = compactionInputs(all, 100_000); inputs; inputs = compactionInputs(all, 100_000)) {
      const rows = inputs.reduce((sum, { info }) => sum + info.rows, 0);
      rewritten += rows;
      all = [...all.filter((segment) => !inputs.includes(segment)), ...segments(`${rows}@${inputs[0]?.info.minNs}`)];
    }
  }
  expect(all.length).toBeLessThan(30);
  expect(rewritten / 200_000).toBeLessThan(6);
});
