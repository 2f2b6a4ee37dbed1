import { setImmediate as nextTurn } from "node:timers/promises";
import type { Logger } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";
import type { Leases } from "@sightline/model/shared-state.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { GroupLease } from "./group-lease.ts";
import type { GroupConfig, RuleConfig } from "./rule-config.ts";
import { nameOfGroup, RuleGroup, type RuleGroupOptions } from "./rule-group.ts";
import type { RuleReplicas } from "./rule-replicas.ts";
import { nextSlot, slotAt } from "./slots.ts";
import { stateOfGroup } from "./state-of-group.ts";

export type PlacedGroup = { readonly tenant: TenantId; readonly file: string; readonly config: GroupConfig };

/** The time, for tests another one than the system's. */
export type Clock = {
  nowMs(): number;
  /** Settles at the time, or once the signal aborts. */
  sleepUntil(timeMs: number, signal: AbortSignal): Promise<void>;
};

export type RuleSchedulerOptions = {
  readonly group: RuleGroupOptions;
  readonly logger: Logger;
  /** Of several processes with the same rules one evaluates a group. Absent: there are no others. */
  readonly leases?: Leases | undefined;
  /** Those processes, if they share groups out. */
  readonly replicas?: Pick<RuleReplicas, "isOurs" | "share" | "recall"> | undefined;
  readonly clock?: Clock;
};

/** Many groups are taken up in several turns of the event loop. */
const MAX_TURN_MS = 5;
/** A process that died is waited for so long beyond the next evaluation. */
const LEASE_GRACE_MS = 15_000;
/** So much later a group is tried for by a process that it does not belong to. */
const DEFER_MS = 1_000;
/** What another process said of a group is gone on with for so many intervals, and no longer: it is as after a restart then. */
const RECALLED_INTERVALS = 3;

type Running = {
  group: RuleGroup;
  readonly source: string;
  readonly content: string;
  readonly stop: AbortController;
  done: Promise<void>;
};

/** Evaluates every group in its slots. What sources of rules say takes the place of what they said before. */
export class RuleScheduler implements Component {
  readonly name = "rules";
  readonly #options: RuleSchedulerOptions;
  readonly #clock: Clock;
  readonly #running = new Map<string, Running>();
  /** Sources that were heard: a later group of theirs was not there before the restart. */
  readonly #known = new Set<string>();
  #isStarted = false;
  #updating: Promise<void> = Promise.resolve();

  constructor(options: RuleSchedulerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
  }

  /** Of a tenant, or all; by file and name. */
  groups(tenant?: TenantId): readonly RuleGroup[] {
    const groups = [...this.#running.values()].map(({ group }) => group);
    return groups
      .filter((group) => tenant === undefined || group.tenant === tenant)
      .sort((a, b) => order(a.file, b.file) || order(a.config.name, b.config.name));
  }

  async start(): Promise<void> {
    this.#isStarted = true;
    for (const running of this.#running.values()) this.#go(running);
  }

  async stop(): Promise<void> {
    this.#isStarted = false;
    await this.#updating;
    const all = [...this.#running.values()];
    for (const { stop, group } of all) {
      stop.abort();
      group.stop();
    }
    await Promise.all(all.map(({ done }) => done));
  }

  /** All groups of one source. Those that are as they were go on as if nothing had happened. One update at a time. */
  update(source: string, groups: readonly PlacedGroup[]): Promise<void> {
    this.#updating = this.#updating.then(() => this.#update(source, groups));
    return this.#updating;
  }

  async #update(source: string, groups: readonly PlacedGroup[]): Promise<void> {
    const isRestored = this.#known.has(source);
    this.#known.add(source);
    const wanted = new Map(groups.map((placed) => [keyOf(source, placed), placed]));
    const changes: Promise<void>[] = [];
    for (const [key, running] of this.#running) {
      if (running.source === source && !wanted.has(key)) changes.push(this.#remove(key, running));
    }
    let turnBegan = performance.now();
    for (const [key, placed] of wanted) {
      if (performance.now() - turnBegan > MAX_TURN_MS) {
        await nextTurn();
        turnBegan = performance.now();
      }
      const content = JSON.stringify({ ...placed.config, rules: placed.config.rules.map(withoutReads) });
      const before = this.#running.get(key);
      if (before?.content === content) continue;
      changes.push(this.#replace(key, { source, content, placed, isRestored }, before));
    }
    await Promise.all(changes);
  }

  async #replace(
    key: string,
    wanted: { source: string; content: string; placed: PlacedGroup; isRestored: boolean },
    before: Running | undefined,
  ): Promise<void> {
    if (before) await this.#end(before);
    const { placed, source, content, isRestored } = wanted;
    const group = new RuleGroup({ ...placed, isRestored }, placed.config, this.#options.group);
    if (before) group.takeOver(before.group);
    const running = { group, source, content, stop: new AbortController(), done: Promise.resolve() };
    this.#running.set(key, running);
    if (this.#isStarted) this.#go(running);
  }

  async #remove(key: string, running: Running): Promise<void> {
    this.#running.delete(key);
    await this.#end(running);
    const { group } = running;
    await group.writeStaleness(this.#clock.nowMs());
    this.#options.group.metrics?.forget(`${group.file};${group.config.name}`);
  }

  /** What it evaluates now it finishes. */
  async #end(running: Running): Promise<void> {
    running.stop.abort();
    await running.done;
  }

  #go(running: Running): void {
    running.done = this.#run(running).catch((error: unknown) => {
      this.#options.logger.error("a group of rules is not evaluated any more", {
        group: running.group.config.name,
        error,
      });
    });
  }

  async #run(running: Running): Promise<void> {
    const clock = this.#clock;
    const { signal } = running.stop;
    const { intervalMs } = running.group;
    const name = nameOfGroup(running.group);
    const { leases, logger, replicas } = this.#options;
    const lease = leases && new GroupLease(leases, { name, ttlMs: intervalMs + LEASE_GRACE_MS, logger });
    let slotMs = slotAt(name, clock.nowMs(), intervalMs) + intervalMs;
    let wasAway = false;
    for (let round = 1; ; round++) {
      await clock.sleepUntil(slotMs, signal);
      const isOurs = replicas?.isOurs(name) ?? true;
      if (!isOurs && lease && !lease.isHeld) {
        await clock.sleepUntil(slotMs + Math.min(DEFER_MS, intervalMs / 4), signal);
      }
      if (signal.aborted) return lease?.release();
      const turn = (await lease?.take()) ?? "held";
      running.group.isElsewhere = turn === "none";
      if (turn === "none") {
        wasAway = true;
        slotMs += intervalMs;
        continue;
      }
      if (turn === "new" && (wasAway || round === 1)) {
        if (wasAway) this.#beginAnew(running);
        await this.#recall(running.group, slotMs);
        round = 1;
        wasAway = false;
      }
      const { group } = running;
      slotMs = await this.#turn(group, slotMs, round);
      await replicas?.share(name, { state: stateOfGroup(group), memory: group.memory });
      // Whose it is takes it in its next slot.
      if (!isOurs) await lease?.release();
    }
  }

  /** Another process has evaluated it: what it knew is in what it wrote, and perhaps in what it said. */
  #beginAnew(running: Running): void {
    const { tenant, file, config } = running.group;
    running.group = new RuleGroup({ tenant, file, isRestored: false }, config, this.#options.group);
  }

  async #recall(group: RuleGroup, nowMs: number): Promise<void> {
    if (group.lastEvaluationMs > 0) return;
    const shared = await this.#options.replicas?.recall(nameOfGroup(group));
    if (!shared) return;
    const ageMs = nowMs - shared.memory.evaluatedAtMs;
    if (ageMs <= RECALLED_INTERVALS * group.intervalMs + LEASE_GRACE_MS) group.adopt(shared.memory);
  }

  /** Gives the next slot. */
  async #turn(group: RuleGroup, slotMs: number, round: number): Promise<number> {
    const { metrics } = this.#options.group;
    const label = { rule_group: `${group.file};${group.config.name}` };
    metrics?.iterations.inc(label);
    await group.evaluate(slotMs);
    if (round === 2 && group.needsRestore) await group.restore(this.#clock.nowMs());
    const next = nextSlot(slotMs, this.#clock.nowMs(), group.intervalMs);
    if (next.missed > 0) {
      metrics?.missed.inc(label, next.missed);
      metrics?.iterations.inc(label, next.missed);
    }
    return next.slotMs;
  }
}

const SYSTEM_CLOCK: Clock = {
  nowMs: () => Date.now(),
  sleepUntil: (timeMs, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      // A timer may come a fraction of a millisecond early.
      const timer = setTimeout(done, Math.max(0, Math.ceil(timeMs - Date.now())));
      signal.addEventListener("abort", done);
    }),
};

function keyOf(source: string, { tenant, file, config }: PlacedGroup): string {
  return JSON.stringify([source, tenant, file, config.name]);
}

/** It follows from the text, and JSON knows no sets. */
function withoutReads({ expression: { reads: _reads, ...expression }, ...rule }: RuleConfig) {
  return { ...rule, expression };
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
