import type { RuleGroupState, RuleStates } from "@sightline/model/rules.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { nameOfGroup, type RuleGroup } from "./rule-group.ts";
import type { RuleReplicas } from "./rule-replicas.ts";
import type { RuleScheduler } from "./rule-scheduler.ts";
import { stateOfGroup } from "./state-of-group.ts";

/** What the query API shows of rules. */
export class ScheduledRuleStates implements RuleStates {
  readonly #scheduler: Pick<RuleScheduler, "groups">;
  readonly #replicas: Pick<RuleReplicas, "recall"> | undefined;
  readonly alertmanagers: readonly string[];

  constructor(
    scheduler: Pick<RuleScheduler, "groups">,
    alertmanagers: readonly string[],
    replicas?: Pick<RuleReplicas, "recall">,
  ) {
    this.#scheduler = scheduler;
    this.alertmanagers = alertmanagers;
    this.#replicas = replicas;
  }

  groups(tenant: TenantId): Promise<readonly RuleGroupState[]> {
    return Promise.all(this.#scheduler.groups(tenant).map((group) => this.#stateOf(group)));
  }

  /** As far as whoever evaluates the group has told of it. */
  async #stateOf(group: RuleGroup): Promise<RuleGroupState> {
    const shared = group.isElsewhere ? await this.#replicas?.recall(nameOfGroup(group)) : undefined;
    return shared?.state ?? stateOfGroup(group);
  }
}
