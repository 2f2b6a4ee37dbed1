import { expect, test } from "vitest";
import { patientMs } from "../harness/patience.ts";
import { judge } from "./judge.ts";
import { runOverload } from "./run-overload.ts";

const MIB = 2 ** 20;
const LIMIT_BYTES = 640 * MIB;

/** The hour is `node e2e/overload/main.ts`. What depends on how busy the machine is otherwise is not asked of this minute. */
test(
  "a minute of five times what it takes: memory below the limit, nothing acknowledged is lost",
  async () => {
    const lines: string[] = [];
    const result = await runOverload({
      seconds: 45,
      factor: 5,
      memoryLimitBytes: LIMIT_BYTES,
      trialSeconds: 5,
      clients: 10,
      say: (line) => lines.push(line),
    });
    const { facts, failures } = judge(result, LIMIT_BYTES);
    const promises = failures.filter((failure) => !/answered in a second|is flat|queries are answered/.test(failure));
    expect(promises, JSON.stringify({ facts, lines }, null, 1)).toEqual([]);
    expect(result.verdict.acknowledged).toBeGreaterThan(0);
  },
  patientMs(100_000),
);
