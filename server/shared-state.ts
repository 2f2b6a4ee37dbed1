import { randomUUID } from "node:crypto";
import type { Config } from "@sightline/config/schema.ts";
import { LocalLeases } from "@sightline/model/local-leases.ts";
import type { LogFeed } from "@sightline/model/log-store.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { Component, Dependency } from "@sightline/model/ports.ts";
import type { Leases, Members, SharedCache, SharedLimits, SharedRates } from "@sightline/model/shared-state.ts";
import { RedisSharedCache } from "@sightline/storage-redis/cache/redis-shared-cache.ts";
import { RedisConnection } from "@sightline/storage-redis/connection/redis-connection.ts";
import { RedisLeases } from "@sightline/storage-redis/leases/redis-leases.ts";
import { RedisSharedLimits } from "@sightline/storage-redis/limits/redis-shared-limits.ts";
import { RedisMembers } from "@sightline/storage-redis/members/redis-members.ts";
import { RedisSharedRates } from "@sightline/storage-redis/rates/redis-shared-rates.ts";
import { LogPublisher } from "@sightline/storage-redis/tail/log-publisher.ts";
import { RedisLogFeed } from "@sightline/storage-redis/tail/redis-log-feed.ts";
import type { Registry } from "prom-client";
import { targetsOf } from "./targets.ts";

export type SharedStateOptions = { readonly config: Config; readonly logger: Logger; readonly registry: Registry };

/** What this process shares with others by way of Redis; alone it shares nothing, and only has leases. */
export type SharedState = {
  readonly leases: Leases;
  /** Of those who evaluate rules; absent: it is the only one. */
  readonly ruleReplicas?: { readonly members: Members; readonly states: SharedCache };
  /** What those who evaluate rules tell of them to those who answer queries. */
  readonly publishedRules?: SharedCache;
  readonly results?: SharedCache;
  readonly rates?: SharedRates;
  /** Of collectors. */
  readonly limits?: SharedLimits;
  /** Of collectors, about traces under tail sampling. */
  readonly verdicts?: SharedCache;
  /**
   * Log records of all collectors as they come in, given those of this process (undefined: it takes in none); undefined: only
   * those of this process are to be had.
   */
  readonly tail?: (own: LogFeed | undefined) => { readonly feed?: LogFeed; readonly components: readonly Component[] };
  readonly components: readonly Component[];
  readonly dependencies: readonly Dependency[];
};

/** Longer than between two evaluations of a group. */
const RULE_STATE_TTL_MS = 3_600_000;
const PUBLISHED_RULES_TTL_MS = 60_000;
/** As long as spans of a trace come, but for the very late ones. */
const VERDICT_TTL_MS = 3_600_000;
const MAX_VERDICT_BYTES = 1_024;

/** By the section `redis` of the settings. */
export function sharedState({ config, logger, registry }: SharedStateOptions): SharedState {
  const settings = config.redis;
  if (settings.kind === "off") return { leases: new LocalLeases(), components: [], dependencies: [] };
  const redis = new RedisConnection({ config: settings, logger, registry });
  const targets = targetsOf(config);
  const results = () =>
    new RedisSharedCache({
      redis,
      name: "results",
      ttlMs: settings.results_ttl,
      maxBytes: settings.max_result_bytes,
      registry,
    });
  const ruleStates = () =>
    new RedisSharedCache({
      redis,
      name: "rules",
      ttlMs: RULE_STATE_TTL_MS,
      maxBytes: settings.max_result_bytes,
      registry,
    });
  const publishedRules = () =>
    new RedisSharedCache({
      redis,
      name: "shown-rules",
      ttlMs: PUBLISHED_RULES_TTL_MS,
      maxBytes: settings.max_result_bytes,
      registry,
    });
  const verdicts = () =>
    new RedisSharedCache({ redis, name: "traces", ttlMs: VERDICT_TTL_MS, maxBytes: MAX_VERDICT_BYTES, registry });
  const tail: SharedState["tail"] = (own) => {
    const publisher = randomUUID();
    const components: Component[] = [];
    if (own) components.push(new LogPublisher({ redis, feed: own, publisher, logger, registry }));
    if (!targets.query) return { components };
    const feed = new RedisLogFeed({ redis, own: own && { feed: own, publisher } });
    return { feed, components: [...components, feed] };
  };
  return {
    leases: new RedisLeases(redis),
    ...(targets.alerting && { ruleReplicas: { members: new RedisMembers(redis), states: ruleStates() } }),
    ...((targets.alerting || targets.query) && { publishedRules: publishedRules() }),
    ...(settings.results_cache && targets.query && { results: results() }),
    ...(targets.collector && { verdicts: verdicts() }),
    ...(settings.rate_limits && { rates: new RedisSharedRates(redis) }),
    ...(settings.tenant_limits && { limits: new RedisSharedLimits(redis) }),
    ...(settings.live_tail && { tail }),
    components: [redis],
    dependencies: redis.dependencies,
  };
}
