/** `npm run test:faults -- --rounds 50 --seed 1 [--only "disk full"]`: see README.md here. Exits with 1 if anything was wrong. */
import { parseArgs } from "node:util";
import { runRounds } from "./run-rounds.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "10" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    only: { type: "string" },
  },
});
const print = (line: string) => void process.stdout.write(`${line}\n`);
print(`seed ${values.seed}`);
const wrong = await runRounds({
  rounds: Number(values.rounds),
  seed: Number(values.seed),
  ...(values.only !== undefined && { only: values.only }),
  print,
});
for (const line of wrong) print(line);
print(wrong.length === 0 ? "nothing was lost, doubled or from nowhere" : `${wrong.length} violations`);
process.exitCode = wrong.length === 0 ? 0 : 1;
