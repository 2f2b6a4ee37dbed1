/** `npm run test:chaos -- --minutes 10 --seed 1 [--only "OpenSearch filled"]`. Exits with 1 if anything was wrong. */
import { parseArgs } from "node:util";
import { OpenSearchService } from "../../services/opensearch.ts";
import { clusterMissing } from "../cluster.ts";
import { runChaos } from "./run-chaos.ts";

const MINUTE_MS = 60_000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    only: { type: "string" },
  },
});
const print = (line: string) => void process.stdout.write(`${line}\n`);
OpenSearchService.prepare();
const missing = clusterMissing();
if (missing !== undefined) throw new Error(`there can be no cluster on this machine: ${missing}`);
print(`seed ${values.seed}`);
const wrong = await runChaos({
  loadMs: Number(values.minutes) * MINUTE_MS,
  seed: Number(values.seed),
  only: values.only,
  print,
});
for (const line of wrong) print(line);
print(wrong.length === 0 ? "nothing was lost, doubled or from nowhere" : `${wrong.length} violations`);
process.exitCode = wrong.length === 0 ? 0 : 1;
