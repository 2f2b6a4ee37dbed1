import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { directoryBytes, ServerProcess } from "@sightline/e2e/harness/server-process.ts";
import type { LoadResult } from "./load-generator.ts";
import { queriesFor } from "./queries.ts";
import { type QueryTiming, timeQuery } from "./query-timer.ts";
import { WORKLOADS } from "./workloads/registry.ts";

/** Work done after the last answer counts too: so long is waited before the CPU time is read. */
const SETTLE_MS = 5_000;
const STORE_DIRECTORY = { metrics: "metrics", logs: "logs", traces: "traces" } as const;

export type Measurement = LoadResult & {
  readonly workload: string;
  readonly unit: string;
  readonly itemsPerSecond: number;
  readonly cpuSecondsPerMillion: number;
  readonly peakMemoryMiB: number;
  readonly diskBytesPerItem: number;
  readonly restartMs: number;
  readonly queries: readonly QueryTiming[];
};

/** One workload against a fresh server: load, settle, restart, ask, stop. */
export async function measure(name: string, items: number, options: { queryRuns: number }): Promise<Measurement> {
  const workload = WORKLOADS.get(name);
  if (!workload) throw new Error(`unknown workload ${name}; there are: ${[...WORKLOADS.keys()].join(", ")}`);
  const endMs = Math.floor(Date.now() / 60_000) * 60_000;
  const server = await ServerProcess.start({
    env: { SIGHTLINE_SELF_TELEMETRY__ENABLED: "false", SIGHTLINE_QUERY__WARM_UP: "true" },
  });
  try {
    const cpuBefore = server.cpuSeconds();
    const load = await runLoad(name, server.url, items, endMs);
    await sleep(SETTLE_MS);
    const cpuSeconds = server.cpuSeconds() - cpuBefore;
    const peakMemoryMiB = server.peakMemoryMiB();
    await server.stop();
    const diskBytes = directoryBytes(join(server.dataDir, STORE_DIRECTORY[workload.signal]));
    const restartMs = await server.restart();
    const queries: QueryTiming[] = [];
    for (const query of queriesFor(name, endMs)) queries.push(await timeQuery(server.url, query, options.queryRuns));
    await server.stop();
    return {
      workload: name,
      unit: workload.unit,
      ...load,
      itemsPerSecond: load.accepted / load.seconds,
      cpuSecondsPerMillion: (cpuSeconds / load.accepted) * 1e6,
      peakMemoryMiB,
      diskBytesPerItem: diskBytes / load.accepted,
      restartMs,
      queries,
    };
  } finally {
    await server.dispose();
  }
}

/** To the workload's own path at `url`, unless that has one. Starts the generator, waits until it has encoded everything, lets it send, and reads its result. */
export async function runLoad(workload: string, url: string, items: number, endMs: number): Promise<LoadResult> {
  const script = fileURLToPath(new URL("load-generator.ts", import.meta.url));
  const args = ["--max-old-space-size=8192", script, workload, url, String(items), String(endMs), "1"];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === "encoded") child.stdin.write("go\n");
    else return JSON.parse(line) as LoadResult;
  }
  throw new Error(`the load generator of ${workload} ended without a result`);
}
