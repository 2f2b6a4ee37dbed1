import { parentPort, workerData } from "node:worker_threads";
import { fuzzOne } from "./fuzz-one.ts";
import { allTargets } from "./targets/all-targets.ts";
import { HEADER_BYTES, type WorkerInput } from "./worker-input.ts";

const { inputs, seed, only, current } = workerData as WorkerInput;
const header = new Int32Array(current, 0, 2);
const bytes = new Uint8Array(current, HEADER_BYTES);

function onInput(input: Uint8Array): void {
  const length = Math.min(input.length, bytes.length);
  bytes.set(input.subarray(0, length));
  header[1] = length;
  Atomics.add(header, 0, 1);
}

const { targets, close } = await allTargets();
const chosen = targets.filter(({ name }) => only === undefined || name.includes(only));
const shares = chosen.reduce((sum, { share }) => sum + share, 0);
for (const [i, target] of chosen.entries()) {
  parentPort?.postMessage({ begins: target.name });
  const count = Math.ceil((inputs * target.share) / shares);
  parentPort?.postMessage({ report: await fuzzOne(target, count, seed + i, onInput) });
}
await close?.();
