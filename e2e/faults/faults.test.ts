import { expect, test } from "vitest";
import { patientMs } from "../harness/patience.ts";
import { runRounds } from "./run-rounds.ts";

const ROUNDS = Number(process.env.SIGHTLINE_E2E_FAULT_ROUNDS ?? 5);
const SEED = Number(process.env.SIGHTLINE_E2E_FAULT_SEED ?? 7);
const ROUND_TIMEOUT_MS = patientMs(60_000);

test(
  `${ROUNDS} rounds of random faults under load (seed ${SEED}): everything acknowledged is there once, nothing else is`,
  async () => {
    const lines: string[] = [];
    const wrong = await runRounds({ rounds: ROUNDS, seed: SEED, print: (line) => lines.push(line) });
    console.info(lines.join("\n"));
    expect(wrong).toEqual([]);
  },
  (ROUNDS + 1) * ROUND_TIMEOUT_MS,
);
