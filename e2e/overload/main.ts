/** `node e2e/overload/main.ts --help` says how. Exits with 1 when something did not hold. */
import { parseArgs } from "node:util";
import { judge } from "./judge.ts";
import { runOverload } from "./run-overload.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    factor: { type: "string", default: "5" },
    "memory-limit-mib": { type: "string", default: "1024" },
    clients: { type: "string", default: "40" },
    "data-dir": { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help) {
  process.stdout.write(
    "usage: node e2e/overload/main.ts [--minutes 60] [--factor 5] [--memory-limit-mib 1024] [--clients 40] [--data-dir DIR]\n",
  );
  process.exit(0);
}
const options = {
  seconds: 60 * Number(values.minutes),
  factor: Number(values.factor),
  memoryLimitBytes: Number(values["memory-limit-mib"]) * 2 ** 20,
  clients: Number(values.clients),
  trialSeconds: 15,
  dataDir: values["data-dir"],
  say: (line: string) => process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`),
};
const result = await runOverload(options);
const { facts, failures } = judge(result, options.memoryLimitBytes);
process.stdout.write(`${JSON.stringify(facts, null, 2)}\n`);
for (const failure of failures) process.stdout.write(`FAILED: ${failure}\n`);
process.stdout.write(failures.length === 0 ? "everything held\n" : `${failures.length} did not hold\n`);
process.exit(failures.length === 0 ? 0 : 1);
