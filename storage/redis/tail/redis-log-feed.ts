import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { LogFeed } from "@sightline/model/log-store.ts";
import type { Component } from "@sightline/model/ports.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { RedisClient } from "../connection/make-client.ts";
import type { RedisConnection } from "../connection/redis-connection.ts";
import { decodeLogMessage } from "./log-message.ts";
import { tailChannel, WantedTenants } from "./wanted-tenants.ts";

type Listener = (batch: LogBatch) => void;
type Tailed = {
  readonly listeners: Set<Listener>;
  /** Of its channel. */
  isSubscribed: boolean;
  /** By `performance.now`: since when publishers could know that it is wanted; undefined: Redis is away. */
  askedSinceMs: number | undefined;
};
export type RedisLogFeedOptions = {
  readonly redis: RedisConnection;
  /** What this process takes in itself, and as whom it tells others of that; undefined: it takes in nothing. */
  readonly own?: { readonly feed: LogFeed; readonly publisher: string } | undefined;
};

const ASK_MS = 2_000;
/** By then every publisher has found Redis and who is wanted, and what came before that is in the store. */
const WHOLE_AFTER_MS = 10_000;

/**
 * Log records as collectors take them in, whichever process they are. While Redis is away only those of this process come, and
 * what other ones took in meanwhile does not come later: who listens is told by {@link isWhole}.
 */
export class RedisLogFeed implements LogFeed, Component {
  readonly name = "log feed";
  readonly #options: RedisLogFeedOptions;
  readonly #wanted: WantedTenants;
  readonly #tailed = new Map<TenantId, Tailed>();
  #subscriber: RedisClient | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RedisLogFeedOptions) {
    this.#options = options;
    this.#wanted = new WantedTenants(options.redis);
  }

  async start(): Promise<void> {
    const subscriber = this.#options.redis.subscriber();
    this.#subscriber = subscriber;
    subscriber.on("ready", () => this.#listen([...this.#tailed.keys()]));
    subscriber.on("close", () => {
      for (const tailed of this.#tailed.values())
        Object.assign(tailed, { isSubscribed: false, askedSinceMs: undefined });
    });
    subscriber.on("messageBuffer", (channel: Buffer, bytes: Buffer) => this.#hand(channel.toString(), bytes));
    subscriber.connect().catch(() => {});
    this.#timer = setInterval(() => void this.#ask([...this.#tailed.keys()]), ASK_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#subscriber?.disconnect();
  }

  subscribe(tenant: TenantId, listener: Listener): () => void {
    const own = this.#options.own?.feed.subscribe(tenant, listener);
    const tailed = this.#tailed.get(tenant) ?? { listeners: new Set(), isSubscribed: false, askedSinceMs: undefined };
    const { listeners } = tailed;
    listeners.add(listener);
    if (!this.#tailed.has(tenant)) {
      this.#tailed.set(tenant, tailed);
      this.#listen([tenant]);
    }
    return () => {
      own?.();
      listeners.delete(listener);
      if (listeners.size > 0 || this.#tailed.get(tenant) !== tailed) return;
      this.#tailed.delete(tenant);
      this.#subscriber?.unsubscribe(this.#channelOf(tenant)).catch(() => {});
    };
  }

  isWhole(tenant: TenantId): boolean {
    const sinceMs = this.#tailed.get(tenant)?.askedSinceMs;
    return sinceMs !== undefined && performance.now() - sinceMs >= WHOLE_AFTER_MS;
  }

  /** First to the channel: what comes because it was asked for must not be missed. */
  #listen(tenants: readonly TenantId[]): void {
    if (tenants.length === 0) return;
    this.#subscriber
      ?.subscribe(...tenants.map((tenant) => this.#channelOf(tenant)))
      .then(() => {
        for (const tailed of this.#of(tenants)) tailed.isSubscribed = true;
        return this.#ask(tenants);
      })
      .catch(() => {});
  }

  async #ask(tenants: readonly TenantId[]): Promise<void> {
    if (tenants.length === 0) return;
    try {
      await this.#wanted.ask(tenants);
    } catch {
      for (const tailed of this.#of(tenants)) tailed.askedSinceMs = undefined;
      return;
    }
    for (const tailed of this.#of(tenants)) if (tailed.isSubscribed) tailed.askedSinceMs ??= performance.now();
  }

  #of(tenants: readonly TenantId[]): Tailed[] {
    return tenants.flatMap((tenant) => this.#tailed.get(tenant) ?? []);
  }

  #hand(channel: string, bytes: Buffer): void {
    const message = decodeLogMessage(bytes);
    if (!message || message.from === this.#options.own?.publisher) return;
    const tenant = channel.slice(this.#channelOf("" as TenantId).length) as TenantId;
    const tailed = this.#tailed.get(tenant);
    if (!tailed) return;
    // A gap: for a while nobody relies on what comes.
    if (message.batch.length === 0 && tailed.askedSinceMs !== undefined) tailed.askedSinceMs = performance.now();
    for (const listener of tailed.listeners) listener(message.batch);
  }

  #channelOf(tenant: TenantId): string {
    return tailChannel(this.#options.redis.config.prefix, tenant);
  }
}
