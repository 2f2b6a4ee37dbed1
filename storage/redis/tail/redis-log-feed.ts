import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { LogFeed } from "@sightline/model/log-store.ts";
import type { Component } from "@sightline/model/ports.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { RedisClient } from "../connection/make-client.ts";
import type { RedisConnection } from "../connection/redis-connection.ts";
import { decodeLogMessage } from "./log-message.ts";
import { tailChannel, WantedTenants } from "./wanted-tenants.ts";

type Listener = (batch: LogBatch) => void;
export type RedisLogFeedOptions = {
  readonly redis: RedisConnection;
  /** What this process takes in itself, and as whom it tells others of that; undefined: it takes in nothing. */
  readonly own?: { readonly feed: LogFeed; readonly publisher: string } | undefined;
};

const ASK_MS = 2_000;

/**
 * Log records as collectors take them in, whichever process they are. While Redis is away only those of this process come, and
 * what other ones took in meanwhile does not come later.
 */
export class RedisLogFeed implements LogFeed, Component {
  readonly name = "log feed";
  readonly #options: RedisLogFeedOptions;
  readonly #wanted: WantedTenants;
  readonly #listeners = new Map<TenantId, Set<Listener>>();
  #subscriber: RedisClient | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RedisLogFeedOptions) {
    this.#options = options;
    this.#wanted = new WantedTenants(options.redis);
  }

  async start(): Promise<void> {
    const subscriber = this.#options.redis.subscriber();
    this.#subscriber = subscriber;
    subscriber.on("ready", () => this.#listen([...this.#listeners.keys()]));
    subscriber.on("messageBuffer", (channel: Buffer, bytes: Buffer) => this.#hand(channel.toString(), bytes));
    subscriber.connect().catch(() => {});
    this.#timer = setInterval(() => this.#ask([...this.#listeners.keys()]), ASK_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#subscriber?.disconnect();
  }

  subscribe(tenant: TenantId, listener: Listener): () => void {
    const own = this.#options.own?.feed.subscribe(tenant, listener);
    const listeners = this.#listeners.get(tenant) ?? new Set();
    listeners.add(listener);
    if (!this.#listeners.has(tenant)) {
      this.#listeners.set(tenant, listeners);
      this.#listen([tenant]);
    }
    return () => {
      own?.();
      listeners.delete(listener);
      if (listeners.size > 0 || this.#listeners.get(tenant) !== listeners) return;
      this.#listeners.delete(tenant);
      this.#subscriber?.unsubscribe(this.#channelOf(tenant)).catch(() => {});
    };
  }

  /** First to the channel: what comes because it was asked for must not be missed. */
  #listen(tenants: readonly TenantId[]): void {
    if (tenants.length === 0) return;
    this.#subscriber
      ?.subscribe(...tenants.map((tenant) => this.#channelOf(tenant)))
      .then(() => this.#ask(tenants))
      .catch(() => {});
  }

  #ask(tenants: readonly TenantId[]): void {
    if (tenants.length > 0) this.#wanted.ask(tenants).catch(() => {});
  }

  #hand(channel: string, bytes: Buffer): void {
    const message = decodeLogMessage(bytes);
    if (!message || message.from === this.#options.own?.publisher) return;
    const tenant = channel.slice(this.#channelOf("" as TenantId).length) as TenantId;
    for (const listener of this.#listeners.get(tenant) ?? []) listener(message.batch);
  }

  #channelOf(tenant: TenantId): string {
    return tailChannel(this.#options.redis.config.prefix, tenant);
  }
}
