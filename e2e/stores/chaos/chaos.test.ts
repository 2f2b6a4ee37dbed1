import { expect, test } from "vitest";
import { patientMs } from "../../harness/patience.ts";
import { clusterMissing } from "../cluster.ts";
import { runChaos } from "./run-chaos.ts";

const LOAD_MS = Number(process.env.SIGHTLINE_E2E_CHAOS_MS ?? 60_000);
const SEED = Number(process.env.SIGHTLINE_E2E_CHAOS_SEED ?? 7);

test.skipIf(clusterMissing() !== undefined)(
  `databases that fail under load (seed ${SEED}): everything acknowledged is there once, and all is well again by itself`,
  async () => {
    const lines: string[] = [];
    const wrong = await runChaos({ loadMs: LOAD_MS, seed: SEED, print: (line) => lines.push(line) });
    console.info(lines.join("\n"));
    expect(wrong).toEqual([]);
  },
  patientMs(600_000) + LOAD_MS,
);
