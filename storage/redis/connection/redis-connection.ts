import { UnavailableError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { Component, Dependency } from "@sightline/model/ports.ts";
import { Counter, type Registry } from "prom-client";
import type { RedisConfig } from "../config.ts";
import { makeClient, type RedisClient } from "./make-client.ts";

export type RedisConnectionOptions = {
  readonly config: RedisConfig;
  readonly logger: Logger;
  readonly registry: Registry;
};

/** After a command that was not answered in time nobody waits for another one for so long. */
const REST_MS = 1_000;
const RETRY_AFTER_MS = 1_000;
const PING_TIMEOUT_MS = 3_000;

/**
 * The way to Redis. Everything that is asked of it has an answer within `redis.command_timeout`, or fails with `UnavailableError`,
 * at once while Redis is known to be away: whoever asks goes on without it.
 */
export class RedisConnection implements Component {
  readonly name = "Redis connection";
  readonly config: RedisConfig;
  readonly #client: RedisClient;
  readonly #logger: Logger;
  readonly #failures: Counter<"work">;
  readonly #subscribers: RedisClient[] = [];
  #restUntilMs = 0;
  #isWell = true;

  constructor({ config, logger, registry }: RedisConnectionOptions) {
    this.config = config;
    this.#logger = logger;
    this.#client = makeClient(config);
    this.#watch(this.#client);
    this.#failures = new Counter({
      name: "sightline_redis_failures_total",
      help: "Times that something was done without Redis because it did not answer, by what it was.",
      labelNames: ["work"],
      registers: [registry],
    });
  }

  get dependencies(): readonly Dependency[] {
    return [{ name: `Redis ${this.config.nodes.join(", ")}`, purpose: "cache", ping: () => this.#ping() }];
  }

  /** Settles when there is a connection or none can be made in time: it is tried again, for ever. */
  async start(): Promise<void> {
    const connecting = this.#client.connect().catch((error: unknown) => this.#failed(error));
    await within(this.config.connect_timeout, connecting).catch((error: unknown) => this.#failed(error));
  }

  async stop(): Promise<void> {
    for (const client of [...this.#subscribers, this.#client]) client.disconnect();
  }

  /** `work` names it in metrics and errors. Throws `UnavailableError`. */
  async run<T>(work: string, ask: (client: RedisClient) => Promise<T>): Promise<T> {
    if (performance.now() < this.#restUntilMs) throw this.#unavailable(work);
    try {
      const answer = await ask(this.#client);
      this.#answered();
      return answer;
    } catch (cause) {
      const error = cause as Error;
      if (error.message === "Command timed out") this.#restUntilMs = performance.now() + REST_MS;
      this.#failed(error);
      throw this.#unavailable(work, error);
    }
  }

  /** A connection of its own for subscriptions, which come back by themselves after it was lost. It is closed with this one. */
  subscriber(): RedisClient {
    const client = makeClient(this.config);
    this.#watch(client);
    this.#subscribers.push(client);
    return client;
  }

  /** Also looks whether a Redis that rested is back. */
  async #ping(): Promise<void> {
    await within(PING_TIMEOUT_MS, this.#client.ping());
    this.#answered();
  }

  #unavailable(work: string, cause?: Error): UnavailableError {
    this.#failures.inc({ work });
    const reason = cause?.message ?? "it did not answer just now";
    return new UnavailableError(`Redis, ${work}: ${reason}`, { retryAfterMs: RETRY_AFTER_MS, cause });
  }

  #answered(): void {
    if (!this.#isWell) this.#logger.info("Redis answers again");
    this.#isWell = true;
  }

  #failed(error: unknown): void {
    if (this.#isWell) this.#logger.warn("Redis does not answer; everything goes on without it", { error });
    this.#isWell = false;
  }

  /** Otherwise a lost connection would be an error that nobody listens to. */
  #watch(client: RedisClient): void {
    client.on("error", (error: unknown) => this.#failed(error));
    client.on("ready", () => this.#answered());
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
