import type { Logger } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";
import type { RuleGroupState } from "@sightline/model/rules.ts";
import type { SharedCache } from "@sightline/model/shared-state.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { groupKey, indexKey, type PublishedIndex } from "./published-rules.ts";
import { nameOfGroup, type RuleGroup } from "./rule-group.ts";
import type { RuleScheduler } from "./rule-scheduler.ts";
import { encodeShared } from "./shared-json.ts";
import { stateOfGroup } from "./state-of-group.ts";

export type RulePublisherOptions = {
  readonly scheduler: Pick<RuleScheduler, "groups">;
  /** Must keep for a minute. */
  readonly published: SharedCache;
  /** Addresses of other Alertmanagers that are told. */
  readonly alertmanagers: readonly string[];
  readonly logger: Logger;
};

const PUBLISH_MS = 2_000;
/** What did not change is said again, before it is forgotten. */
const REPEAT_MS = 20_000;
/** JSON of more would hold the event loop. */
const MAX_ALERTS = 5_000;

/** Tells processes that answer queries of the rules that this one evaluates. */
export class RulePublisher implements Component {
  readonly name = "rule publisher";
  readonly #options: RulePublisherOptions;
  readonly #told = new Map<string, { readonly evaluationMs: number; readonly atMs: number }>();
  #tenants = new Set<TenantId>();
  #timer: NodeJS.Timeout | undefined;
  #publishing: Promise<void> | undefined;

  constructor(options: RulePublisherOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => {
      this.#publishing ??= this.publish().finally(() => {
        this.#publishing = undefined;
      });
    }, PUBLISH_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#publishing;
  }

  /** Happens by itself. */
  async publish(nowMs = Date.now()): Promise<void> {
    const byTenant = Map.groupBy(this.#options.scheduler.groups(), ({ tenant }) => tenant);
    // Who has lost the last one has an empty list.
    const tenants = new Set([...byTenant.keys(), ...this.#tenants]);
    this.#tenants = new Set(byTenant.keys());
    const known = new Set<string>();
    for (const tenant of tenants) {
      const groups = byTenant.get(tenant) ?? [];
      for (const group of groups) {
        known.add(nameOfGroup(group));
        if (!group.isElsewhere) await this.#publishGroup(group, nowMs);
      }
      const { alertmanagers } = this.#options;
      const index: PublishedIndex = { atMs: nowMs, alertmanagers, groups: groups.map(nameOfGroup) };
      await this.#options.published.put(indexKey(tenant), encodeShared(index));
    }
    for (const name of this.#told.keys()) if (!known.has(name)) this.#told.delete(name);
  }

  async #publishGroup(group: RuleGroup, nowMs: number): Promise<void> {
    const name = nameOfGroup(group);
    const told = this.#told.get(name);
    const { lastEvaluationMs: evaluationMs } = group;
    if (told?.evaluationMs === evaluationMs && nowMs - told.atMs < REPEAT_MS) return;
    this.#told.set(name, { evaluationMs, atMs: nowMs });
    const bytes = encodeShared(withFewAlerts(stateOfGroup(group)));
    const { published, logger } = this.#options;
    if (bytes.length > published.maxBytes) {
      logger.warn("a group of rules is too large to be shown by other processes", { group: name, bytes: bytes.length });
    }
    await published.put(groupKey(name), bytes);
  }
}

function withFewAlerts(state: RuleGroupState): RuleGroupState {
  let left = MAX_ALERTS;
  const rules = state.rules.map((rule) => {
    if (rule.type !== "alerting" || rule.alerts.length === 0) return rule;
    const alerts = rule.alerts.slice(0, left);
    left -= alerts.length;
    return { ...rule, alerts };
  });
  return { ...state, rules };
}
