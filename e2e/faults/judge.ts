import { patientMs } from "../harness/patience.ts";
import type { ServerProcess } from "../harness/server-process.ts";
import type { Findings, TrackedWriter } from "../harness/tracked-writer.ts";
import { readCounters } from "./counters.ts";
import type { Damage } from "./damage.ts";

/** A store that was not there gets what it lacks from the log after a while. */
const CATCHING_UP_MS = patientMs(40_000);
const RETRY_MS = 500;
const MAX_LINES = 20;

export type Verdict = { readonly text: string; readonly violations: readonly string[] };

/** How many items the server says it can't serve any more, by signal. */
const LOST_ITEMS = {
  metrics: "sightline_metric_store_corrupt_samples_total",
  logs: "sightline_logs_store_quarantined_rows_total",
  traces: "sightline_traces_store_quarantined_rows_total",
} as const;

/**
 * Reads everything back. What is missing must have been in the file that was damaged, and the server must say that as
 * many items are lost at least.
 */
export async function judge(
  server: ServerProcess,
  writers: readonly TrackedWriter[],
  { damage }: { readonly damage?: Damage },
): Promise<Verdict> {
  // Else what is missing is taken for lost, which would be too early here.
  if (damage) await storesHaveAll(server);
  const all = await readAll(server, writers, damage === undefined);
  const violations: string[] = [];
  let [lostItems, lostRequests] = [0, 0];
  const bySignal = { metrics: 0, logs: 0, traces: 0 };
  for (const [writer, found] of all) {
    violations.push(...found.violations.slice(0, MAX_LINES));
    for (const [request, items] of found.missing) {
      lostItems += items;
      lostRequests++;
      bySignal[writer.signal] += items;
      if (!damage && lostRequests < MAX_LINES)
        violations.push(`${writer.name}: lost ${items} items of request ${request}`);
    }
    writer.forget(found.missing.keys());
  }
  const counters = await readCounters(server);
  if (damage && lostItems > 0) violations.push(...unexplained(damage, bySignal, lostRequests, counters));
  const reported = damage?.loses ? `, ${counters.get(LOST_ITEMS[damage.loses]) ?? 0} reported` : "";
  return { text: lostItems === 0 ? "all there" : `${lostItems} items lost${reported}`, violations };
}

/** Settles when no store lacks what is in the log, or after a while. */
async function storesHaveAll(server: ServerProcess): Promise<void> {
  const deadline = performance.now() + CATCHING_UP_MS;
  while (sumOf(await readCounters(server), "sightline_store_behind") > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

type Readings = readonly (readonly [TrackedWriter, Findings])[];

async function readAll(
  server: ServerProcess,
  writers: readonly TrackedWriter[],
  untilComplete: boolean,
): Promise<Readings> {
  const deadline = performance.now() + CATCHING_UP_MS;
  for (;;) {
    const all: [TrackedWriter, Findings][] = [];
    for (const writer of writers) all.push([writer, await writer.check(server)]);
    const isComplete = all.every(([, { missing }]) => missing.size === 0);
    if (isComplete || !untilComplete || performance.now() > deadline) return all;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function unexplained(
  damage: Damage,
  lost: Readonly<Record<keyof typeof LOST_ITEMS, number>>,
  lostRequests: number,
  counters: ReadonlyMap<string, number>,
): string[] {
  if (damage.losesOneRequest) {
    const damaged = sumOf(counters, "sightline_wal_damaged_total");
    const wrong = lostRequests > 1 || damaged === 0;
    return wrong ? [`${lostRequests} requests lost, ${damaged} damaged places of the log reported`] : [];
  }
  return Object.entries(LOST_ITEMS).flatMap(([signal, counter]) => {
    const items = lost[signal as keyof typeof LOST_ITEMS];
    const reported = signal === damage.loses ? (counters.get(counter) ?? 0) : 0;
    return items > reported ? [`${items} items of ${signal} lost, ${reported} reported as such`] : [];
  });
}

function sumOf(counters: ReadonlyMap<string, number>, name: string): number {
  let sum = 0;
  for (const [key, value] of counters) if (key.startsWith(name)) sum += value;
  return sum;
}
