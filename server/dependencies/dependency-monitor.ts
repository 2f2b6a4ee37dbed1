import type { Logger } from "@sightline/model/logger.ts";
import type { Component, Dependency } from "@sightline/model/ports.ts";
import { Gauge, type Registry } from "prom-client";

export type DependencyMonitorOptions = {
  readonly dependencies: readonly Dependency[];
  readonly logger: Logger;
  readonly registry: Registry;
  /** Between two looks. */
  readonly intervalMs?: number;
  /** Who has not answered by then is down. */
  readonly timeoutMs?: number;
  readonly nowMs?: () => number;
};

export type DependencyStatus = {
  readonly name: string;
  readonly purpose: string;
  /** unknown: it has not been asked yet. */
  readonly state: "up" | "down" | "unknown";
  /** When it came into this state, and when it last answered; Unix milliseconds. */
  readonly sinceMs: number;
  readonly answeredAtMs?: number;
  /** Of its last answer. */
  readonly latencyMs?: number;
  /** What was wrong, while it is down. */
  readonly error?: string;
};

const INTERVAL_MS = 2_000;
const TIMEOUT_MS = 4_000;

/** Asks everything that the process depends on for a sign of life, again and again, and knows the newest answer. */
export class DependencyMonitor implements Component {
  readonly name = "dependencies";
  readonly #options: DependencyMonitorOptions;
  readonly #nowMs: () => number;
  readonly #watched: Watched[];
  readonly #up: Gauge<"dependency" | "purpose">;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DependencyMonitorOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    const sinceMs = this.#nowMs();
    this.#watched = options.dependencies.map((dependency) => ({
      dependency,
      status: { name: dependency.name, purpose: dependency.purpose, state: "unknown", sinceMs },
      isBusy: false,
    }));
    this.#up = new Gauge({
      name: "sightline_dependency_up",
      help: "Whether a database or the like that this process talks to answered when it was last asked.",
      labelNames: ["dependency", "purpose"],
      registers: [options.registry],
    });
  }

  get statuses(): readonly DependencyStatus[] {
    return this.#watched.map(({ status }) => status);
  }

  /** Settles after the first look; what is down is no reason not to start. */
  async start(): Promise<void> {
    await this.look();
    this.#timer = setInterval(() => void this.look(), this.#options.intervalMs ?? INTERVAL_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
  }

  /** One look at everything; it happens by itself. Who has not answered the one before is not asked again. */
  async look(): Promise<void> {
    await Promise.all(this.#watched.filter(({ isBusy }) => !isBusy).map((watched) => this.#ask(watched)));
  }

  async #ask(watched: Watched): Promise<void> {
    const { timeoutMs = TIMEOUT_MS } = this.#options;
    const began = performance.now();
    watched.isBusy = true;
    const answer = watched.dependency.ping().finally(() => {
      watched.isBusy = false;
    });
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      await Promise.race([answer, tooLate]);
      this.#note(watched, { state: "up", answeredAtMs: this.#nowMs(), latencyMs: performance.now() - began });
    } catch (error) {
      // It may still answer, to nobody.
      answer.catch(() => {});
      this.#note(watched, { state: "down", error: (error as Error).message });
    } finally {
      clearTimeout(timer);
    }
  }

  #note(watched: Watched, seen: Pick<DependencyStatus, "state" | "answeredAtMs" | "latencyMs" | "error">): void {
    const { error: _, ...before } = watched.status;
    const hasChanged = before.state !== seen.state;
    watched.status = { ...before, ...seen, sinceMs: hasChanged ? this.#nowMs() : before.sinceMs };
    const { name, purpose } = before;
    this.#up.set({ dependency: name, purpose }, seen.state === "up" ? 1 : 0);
    if (!hasChanged) return;
    const { logger } = this.#options;
    if (seen.state === "down") logger.warn("a dependency does not answer", { dependency: name, purpose, ...seen });
    else if (before.state === "down") logger.info("a dependency answers again", { dependency: name, purpose });
  }
}

type Watched = { readonly dependency: Dependency; status: DependencyStatus; isBusy: boolean };
