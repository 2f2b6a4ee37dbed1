import { workedMs } from "@sightline/model/testing/worked-ms.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fuzzOne } from "./fuzz-one.ts";
import type { Random } from "./random.ts";
import type { FuzzTarget, FuzzTargets } from "./target.ts";
import { allTargets } from "./targets/all-targets.ts";

/** Per unit of a target's share. `npm run fuzz` looks for longer. */
const INPUTS = 20;
const SEED = 20_261_121;

let all: FuzzTargets;
beforeAll(async () => {
  all = await allTargets();
});
afterAll(() => all.close?.());

test("every decoder takes its good inputs, and takes or refuses what is made of them", async () => {
  for (const target of all.targets) {
    const { findings, taken } = await fuzzOne(target, Math.ceil(target.share * INPUTS), SEED, () => {});
    // Here other tests run beside it: what is slow is looked for by the command.
    const bugs = findings.filter(({ problem }) => !problem.startsWith("took "));
    expect({ target: target.name, bugs }).toEqual({ target: target.name, bugs: [] });
    // Or the mutations are too coarse to get anywhere.
    if (target.share >= 4) expect({ target: target.name, taken: taken > 0 }).toMatchObject({ taken: true });
  }
}, 60_000);

test.each([
  [
    "throws what is no error of ours",
    () => {
      throw new TypeError("oops");
    },
    "oops",
  ],
  [
    "takes too long",
    () => {
      for (const end = workedMs() + 150; workedMs() < end; );
    },
    "took",
  ],
])("a decoder that %s is found", async (_, run, problem) => {
  const target: FuzzTarget = {
    name: "bad",
    share: 1,
    seeds: [Buffer.from("seed")],
    mutate: (input, _other, random: Random) => Buffer.from([...input, random.below(256)]),
    run: (input) => (input.length > 4 ? run() : undefined),
  };
  const { findings } = await fuzzOne(target, 1, SEED, () => {});
  expect(findings[0]?.problem).toContain(problem);
});

test("the same seed makes the same inputs", async () => {
  const inputsOf = async (seed: number) => {
    const inputs: string[] = [];
    const [target] = all.targets as [FuzzTarget];
    await fuzzOne({ ...target, run: () => {} }, 50, seed, (input) => inputs.push(Buffer.from(input).toString("hex")));
    return inputs;
  };
  expect(await inputsOf(1)).toEqual(await inputsOf(1));
  expect(await inputsOf(1)).not.toEqual(await inputsOf(2));
});
