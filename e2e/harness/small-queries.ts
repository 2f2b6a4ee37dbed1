import { afterAll, afterEach, expect } from "vitest";
import { Canary } from "./canary.ts";
import type { ServerProcess } from "./server-process.ts";

export type SmallQueriesOptions = {
  /** What one may take. */
  readonly patienceMs: number;
  /** Peak of the server's memory. */
  readonly maxMemoryMiB: number;
};

/**
 * Small queries all the time beside the tests of a file, at the top of which it is called: after each test the server must be
 * alive, and none of them may have failed or taken long. Gives what starts them once there is something to ask about. Disposes of
 * the server at the end.
 */
export function smallQueriesBeside(server: () => ServerProcess, { patienceMs, maxMemoryMiB }: SmallQueriesOptions) {
  let canary: Canary;
  const slowest = { ms: 0, name: "" };
  afterEach(({ task }) => {
    const { ms, failures } = canary.worst();
    if (ms > slowest.ms) Object.assign(slowest, { ms, name: task.name });
    expect(server().isAlive, server().stderr.slice(-2_000)).toBe(true);
    expect(failures, "small queries that failed").toBe(0);
    expect(ms, "slowest small query").toBeLessThan(patienceMs);
    expect(server().peakMemoryMiB()).toBeLessThan(maxMemoryMiB);
  });
  afterAll(async () => {
    await canary.stop();
    const slow = `${Math.round(slowest.ms)} ms, beside ${slowest.name}`;
    console.info(`peak memory: ${server().peakMemoryMiB()} MiB; slowest small query: ${slow}`);
    await server().dispose();
  });
  return (queries: readonly string[]): void => {
    canary = new Canary(server().url, queries);
  };
}
