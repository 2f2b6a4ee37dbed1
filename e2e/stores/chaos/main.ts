/** Databases that fail under load. Exits with 1 if anything was wrong. */
import { parseArgs } from "node:util";
import { OpenSearchService } from "../../services/opensearch.ts";
import { clusterMissing } from "../cluster.ts";
import { runChaos } from "./run-chaos.ts";

const HELP = `usage: npm run test:chaos -- [FLAGS]

Two collectors and two queriers over databases that are killed, paused, filled and restarted under load. Then all that was acknowledged is read back.

  --minutes N    how long (default 10)
  --seed N       the same faults in the same order (default: another one each time, printed)
  --only TEXT    one kind of fault: "OpenSearch filled"
`;
const MINUTE_MS = 60_000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    only: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit();
}
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
