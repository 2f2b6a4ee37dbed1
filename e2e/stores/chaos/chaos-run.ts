import { setTimeout as sleep } from "node:timers/promises";
import { Deck } from "../../faults/deck.ts";
import { call, getJson } from "../../harness/http-call.ts";
import { patientMs } from "../../harness/patience.ts";
import type { ServerProcess } from "../../harness/server-process.ts";
import { trackedWriters } from "../../harness/tracked-loads.ts";
import type { TrackedWriter } from "../../harness/tracked-writer.ts";
import { Asker } from "./asker.ts";
import type { ChaosBench, DatabaseFault } from "./database-fault.ts";

/** After so many faults the load stops and everything is read back. */
const FAULTS_PER_ROUND = 4;
const WRITER_PAUSE_MS = 40;
const ASKER_PAUSE_MS = 100;
const QUIET_MS = [1_000, 3_000] as const;
const COLLECTOR_DIES_TOO = 0.25;
/** A database that comes back may have to read its own log first. */
const RECOVERY_MS = 60_000;
const CATCHING_UP_MS = 120_000;
const RETRY_MS = 500;
const MAX_LINES = 30;

type Dependencies = { readonly data: { readonly dependencies: readonly { name: string; state: string }[] } };

/** Load and questions on, fault after fault, and everything read back after some. */
export class ChaosRun {
  readonly #bench: ChaosBench;
  readonly #deck: Deck<DatabaseFault>;
  readonly #print: (line: string) => void;
  readonly #asker: Asker;
  // Over HTTP alone, because of the proxy between.
  readonly #writers = trackedWriters().filter(({ name }) => !name.includes("grpc"));
  readonly #violations: string[] = [];

  constructor(bench: ChaosBench, faults: readonly DatabaseFault[], print: (line: string) => void) {
    this.#bench = bench;
    this.#deck = new Deck(faults, bench.random);
    this.#print = print;
    this.#asker = new Asker(bench.cluster.readers.url);
  }

  /** Ends after `loadMs` of load, or with the round in which something is wrong. */
  async run(loadMs: number): Promise<readonly string[]> {
    let leftMs = loadMs;
    while (leftMs > 0 && this.#violations.length === 0) leftMs -= await this.#round(leftMs);
    for (const line of this.#summary()) this.#print(line);
    if (this.#violations.length > 0) this.#printLogs();
    return this.#violations.slice(0, MAX_LINES);
  }

  /** Gives how long the load was on. */
  async #round(maxMs: number): Promise<number> {
    const began = performance.now();
    const elapsedMs = () => performance.now() - began;
    let stopped = false;
    const load = this.#load(() => stopped);
    try {
      for (let fault = 0; fault < FAULTS_PER_ROUND && elapsedMs() < maxMs; fault++) await this.#fail(this.#deck.next());
    } catch (error) {
      this.#violations.push(`${error instanceof Error ? error.stack : error}`);
      this.#print(this.#violations.at(-1) as string);
    } finally {
      stopped = true;
      await load;
    }
    const loadMs = elapsedMs();
    // What went wrong so far would only be waited for.
    if (this.#violations.length === 0) await this.#readBack();
    return loadMs;
  }

  async #load(stopped: () => boolean): Promise<void> {
    const { senders } = this.#bench.cluster;
    const all = [
      ...this.#writers.map((writer) => writer.run(senders, stopped, WRITER_PAUSE_MS)),
      this.#asker.run(stopped, ASKER_PAUSE_MS),
    ];
    for (const ended of await Promise.allSettled(all)) {
      if (ended.status === "rejected") this.#violations.push(String(ended.reason));
    }
    this.#violations.push(...this.#asker.violations.splice(0));
  }

  async #fail(fault: DatabaseFault): Promise<void> {
    const { random, cluster } = this.#bench;
    await sleep(random.integer(...QUIET_MS));
    const notes = [await fault.strike(this.#bench)];
    const lastsMs = random.integer(...fault.lasts);
    const victim = random.chance(COLLECTOR_DIES_TOO) ? random.one(cluster.collectors) : undefined;
    await sleep(lastsMs / 2);
    await victim?.kill();
    // It may have to wait for the database.
    const restarted = victim?.restart();
    restarted?.catch(() => undefined);
    await sleep(lastsMs / 2);
    await fault.lift(this.#bench);
    notes.push(`lifted after ${lastsMs} ms`);
    if (restarted) notes.push(`a collector killed, too, and back after ${Math.round(await restarted)} ms`);
    notes.push(await this.#recover(fault));
    this.#print(`${fault.name}: ${notes.join("; ")}`);
  }

  /** Everything is answered and taken again, by itself. */
  async #recover({ name }: DatabaseFault): Promise<string> {
    const began = performance.now();
    const before = this.#writers.map(({ answers }) => answers.acknowledged);
    for (;;) {
      const ms = Math.round(performance.now() - began);
      const waiting = this.#writers.filter(({ answers }, i) => answers.acknowledged <= (before[i] as number));
      const problem =
        waiting.length > 0
          ? `${waiting.map((writer) => writer.name).join(", ")}: nothing is taken`
          : ((await this.#down()) ?? (await this.#asker.problem()));
      if (problem === undefined) return `all well ${ms} ms later`;
      if (ms > patientMs(RECOVERY_MS)) {
        this.#violations.push(`${name}: ${ms} ms after it is over: ${problem}`);
        return "does not recover";
      }
      await sleep(RETRY_MS);
    }
  }

  async #down(): Promise<string | undefined> {
    for (const { url } of this.#servers) {
      const { data } = await getJson<Dependencies>(`${url}/api/v1/status/dependencies`);
      const down = data.dependencies.find(({ state }) => state !== "up");
      if (down) return `${down.name} is ${down.state}, says ${url}`;
    }
    return undefined;
  }

  /** Everything acknowledged is there once, and nothing that could be kept is a dead letter. */
  async #readBack(): Promise<void> {
    const deadline = performance.now() + patientMs(CATCHING_UP_MS);
    for (const writer of this.#writers) this.#violations.push(...(await this.#untilThere(writer, deadline)));
    for (const { url, isAlive } of this.#bench.cluster.collectors) {
      const { text } = isAlive ? await call(`${url}/metrics`) : { text: "" };
      if (!isAlive) this.#violations.push(`the collector at ${url} is gone`);
      this.#violations.push(...(text.match(/^sightline_\w*dead_letter\w*(\{[^}]*\})? [1-9].*$/gm) ?? []));
    }
    const items = this.#writers.map(({ acknowledgedItems }) => acknowledgedItems).join(" + ");
    this.#print(`read back: ${items} items, ${this.#violations.length} violations`);
  }

  async #untilThere(writer: TrackedWriter, deadline: number): Promise<readonly string[]> {
    for (;;) {
      let violations: readonly string[];
      try {
        violations = await writer.violations(this.#bench.cluster.readers);
      } catch (error) {
        violations = [`${writer.name}: ${error}`];
      }
      // What is doubled may be gone soon, as well: rows of a writer that has not come back yet.
      if (violations.length === 0 || performance.now() > deadline) return violations.slice(0, MAX_LINES);
      await sleep(RETRY_MS);
    }
  }

  get #servers(): readonly ServerProcess[] {
    const { collectors, queriers } = this.#bench.cluster;
    return [...collectors, ...queriers];
  }

  #summary(): readonly string[] {
    const ofWriters = this.#writers.map(({ name, acknowledgedItems, answers }) => {
      const { acknowledged, refused, unknown } = answers;
      return `  ${name}: ${acknowledgedItems} items acknowledged; ${acknowledged} requests taken, ${refused} refused, ${unknown} without an answer`;
    });
    const { answered, unavailable } = this.#asker;
    return ["all rounds:", ...ofWriters, `  queries: ${answered} answered, ${unavailable} told to come back`];
  }

  #printLogs(): void {
    for (const { url, stderr } of this.#servers) this.#print(`the log of ${url} ends with\n${stderr.slice(-5_000)}`);
  }
}
