/**
 * `npm run fuzz -- --inputs 1000000 --seed 1 [--only PromQL]`: gives every decoder mutations of good inputs. Exits with 1
 * when one crashes, hangs, takes more than 100 ms of CPU time or too much memory, throws what is no error of model/errors.ts, or makes
 * a batch that breaks its own rules; the input is printed in base64.
 */
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import type { TargetReport } from "./fuzz-one.ts";
import { HEADER_BYTES, type WorkerInput } from "./worker-input.ts";

/** A body is at most 64 KiB here: whatever is made of it fits in this. */
const MAX_HEAP_MIB = 512;
const MAX_RESIDENT_MIB = 1_500;
const MAX_HANG_MS = 20_000;
const WATCH_EVERY_MS = 500;
const MIB = 1024 * 1024;

const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "100000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    only: { type: "string" },
  },
});
const print = (line: string) => void process.stdout.write(`${line}\n`);
const current = new SharedArrayBuffer(HEADER_BYTES + 2 ** 17);
const header = new Int32Array(current, 0, 2);

/** What the decoder is busy with. */
function currentInput(): string {
  return Buffer.from(new Uint8Array(current, HEADER_BYTES, header[1])).toString("base64");
}

function printReport({ target, inputs, taken, refused, slowestMs, findings }: TargetReport): void {
  const errors = Object.entries(refused).map(([name, count]) => `${count} ${name}`);
  print(`${target}: ${inputs} inputs, ${taken} taken, ${errors.join(", ")}; slowest ${slowestMs.toFixed(1)} ms`);
  for (const { problem, input } of findings) {
    print(`  FOUND ${problem}\n  input: ${Buffer.from(input).toString("base64").slice(0, 8_000)}`);
  }
}

/** Gives the number of things found. */
function fuzz(): Promise<number> {
  return new Promise((resolve) => {
    let [found, target, peakMiB] = [0, "", 0];
    let last = { count: 0, atMs: performance.now() };
    const workerData: WorkerInput = {
      inputs: Number(values.inputs),
      seed: Number(values.seed),
      only: values.only,
      current,
    };
    const worker = new Worker(new URL("worker.ts", import.meta.url), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
    });
    const giveUp = (problem: string) => {
      found++;
      print(`${target}: FOUND ${problem}\n  input: ${currentInput()}`);
      void worker.terminate();
    };
    const watch = setInterval(() => {
      const count = Atomics.load(header, 0);
      if (count !== last.count) last = { count, atMs: performance.now() };
      peakMiB = Math.max(peakMiB, process.memoryUsage.rss() / MIB);
      if (performance.now() - last.atMs > MAX_HANG_MS && count > 0) giveUp(`hangs for ${MAX_HANG_MS} ms`);
      else if (peakMiB > MAX_RESIDENT_MIB) giveUp(`${Math.round(peakMiB)} MiB are resident`);
    }, WATCH_EVERY_MS);
    worker.on("message", (message: { begins?: string; report?: TargetReport }) => {
      target = message.begins ?? target;
      if (!message.report) return;
      found += message.report.findings.length;
      printReport(message.report);
    });
    worker.on("error", (error: Error) => {
      found++;
      print(`${target}: FOUND ${error.stack}\n  input: ${currentInput()}`);
    });
    worker.on("exit", () => {
      clearInterval(watch);
      print(`${Atomics.load(header, 0)} inputs, at most ${Math.round(peakMiB)} MiB resident`);
      resolve(found);
    });
  });
}

print(`seed ${values.seed}`);
const found = await fuzz();
print(found === 0 ? "nothing was found" : `${found} findings`);
process.exitCode = found === 0 ? 0 : 1;
