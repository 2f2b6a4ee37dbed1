import { UnavailableError } from "@sightline/model/errors.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { LogFeed } from "@sightline/model/log-store.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";
import { type TenantId, tenantId } from "@sightline/model/tenant.ts";
import { Counter, type Registry } from "prom-client";
import type { RedisClient } from "../connection/make-client.ts";
import type { RedisConnection } from "../connection/redis-connection.ts";
import { encodeGap, encodeLogMessages, MAX_MESSAGE_ROWS } from "./log-message.ts";
import { tailChannel, WantedTenants } from "./wanted-tenants.ts";

export type LogPublisherOptions = {
  readonly redis: RedisConnection;
  /** Of this process. */
  readonly feed: LogFeed;
  /** Names this process in messages. */
  readonly publisher: string;
  readonly logger: Logger;
  readonly registry: Registry;
};

const LOOK_MS = 2_000;
/** What waits for Redis: beyond it the oldest goes. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

type Waiting = { readonly channel: string; readonly rows: number; readonly bytes: Buffer };

/** Hands what a collector takes in to those who tail in other processes. Costs nothing while nobody does. */
export class LogPublisher implements Component {
  readonly name = "log publisher";
  readonly #options: LogPublisherOptions;
  readonly #wanted: WantedTenants;
  readonly #dropped: Counter;
  readonly #feeding = new Map<TenantId, () => void>();
  /** Channels of which something was lost that nobody was told of. */
  readonly #gaps = new Set<string>();
  #subscriber: RedisClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isSending = false;

  constructor(options: LogPublisherOptions) {
    this.#options = options;
    this.#wanted = new WantedTenants(options.redis);
    this.#dropped = new Counter({
      name: "sightline_tail_unpublished_records_total",
      help: "Log records that those who tail in other processes did not get, because Redis was away or slow.",
      registers: [options.registry],
    });
  }

  async start(): Promise<void> {
    const subscriber = this.#options.redis.subscriber();
    this.#subscriber = subscriber;
    subscriber.on("ready", () => {
      subscriber.subscribe(this.#wanted.channel).catch(() => {});
    });
    subscriber.on("message", (_channel, tenant) => this.#feed(tenant));
    subscriber.connect().catch(() => {});
    await this.#look();
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const end of this.#feeding.values()) end();
    this.#feeding.clear();
    this.#subscriber?.disconnect();
  }

  async #look(): Promise<void> {
    let wanted: readonly string[];
    try {
      wanted = await this.#wanted.list();
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      return;
    }
    for (const [tenant, end] of this.#feeding) {
      if (wanted.includes(tenant)) continue;
      end();
      this.#feeding.delete(tenant);
    }
    for (const tenant of wanted) this.#feed(tenant);
    const gaps = [...this.#gaps];
    this.#gaps.clear();
    for (const channel of gaps) this.#wait({ channel, rows: 0, bytes: encodeGap(this.#options.publisher) });
  }

  #feed(name: string): void {
    const tenant = tenantId(name);
    if (this.#feeding.has(tenant)) return;
    const channel = tailChannel(this.#options.redis.config.prefix, tenant);
    const end = this.#options.feed.subscribe(tenant, (batch) => this.#take(channel, batch));
    this.#feeding.set(tenant, end);
  }

  #take(channel: string, batch: LogBatch): void {
    let row = 0;
    for (const bytes of encodeLogMessages(this.#options.publisher, batch)) {
      const rows = Math.min(batch.length - row, MAX_MESSAGE_ROWS);
      row += rows;
      this.#wait({ channel, rows, bytes });
    }
  }

  #wait(message: Waiting): void {
    this.#waiting.push(message);
    this.#waitingBytes += message.bytes.length;
    while (this.#waitingBytes > MAX_WAITING_BYTES && this.#waiting.length > 1) {
      const oldest = this.#waiting.shift() as Waiting;
      this.#waitingBytes -= oldest.bytes.length;
      this.#lost(oldest.channel, oldest.rows);
    }
    if (!this.#isSending) void this.#send();
  }

  #lost(channel: string, rows: number): void {
    this.#dropped.inc(rows);
    this.#gaps.add(channel);
  }

  /** Nothing is kept for a Redis that is away: who tails wants what comes now. */
  async #send(): Promise<void> {
    this.#isSending = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      const { channel, rows, bytes } = next;
      this.#waitingBytes -= bytes.length;
      await this.#options.redis
        .run("handing log records on", (client) => client.publish(channel, bytes))
        .catch(() => this.#lost(channel, rows));
    }
    this.#isSending = false;
  }
}
