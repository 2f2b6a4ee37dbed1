import type { Logger } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";
import type { RuleGroupState } from "@sightline/model/rules.ts";
import type { Members, SharedCache } from "@sightline/model/shared-state.ts";
import { ownerOf } from "./owner-of.ts";
import type { GroupMemory } from "./rule-group.ts";
import { decodeShared, encodeShared } from "./shared-json.ts";

export type RuleReplicasOptions = {
  readonly members: Members;
  /** What is known of groups, for those who do not evaluate them, or will. */
  readonly states: SharedCache;
  readonly logger: Logger;
};

/** What other processes are told of a group. */
export type SharedGroup = { readonly state: RuleGroupState; readonly memory: GroupMemory };

const WORK = "rules";
const ANNOUNCE_MS = 5_000;
/** A process that died is counted for so long. */
const TTL_MS = 3 * ANNOUNCE_MS;
/** JSON of more would hold the event loop. */
const MAX_SHARED_ALERTS = 2_000;

/**
 * The processes that evaluate the same rules. Whose turn a group is follows from who is there: each group has one owner, and
 * when a process comes or goes only its groups move. That nobody else evaluates it meanwhile is up to leases.
 */
export class RuleReplicas implements Component {
  readonly name = "rule-replicas";
  readonly #options: RuleReplicasOptions;
  /** Its own id first; none while it is not known. */
  #members: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RuleReplicasOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.look();
    this.#timer = setInterval(() => void this.look(), ANNOUNCE_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const { members, logger } = this.#options;
    await members
      .leave(WORK)
      .catch((error: unknown) => logger.warn("others count this process for a while", { error }));
  }

  /** Says that it is there, and looks who else is. When nobody knows, who was there still is. */
  async look(): Promise<void> {
    const { members, logger } = this.#options;
    try {
      this.#members = await members.announce(WORK, TTL_MS);
    } catch (error) {
      logger.warn("it is not known who else evaluates rules", { error });
    }
  }

  /** Others should leave the group to this process. */
  isOurs(group: string): boolean {
    const [self] = this.#members;
    return self === undefined || ownerOf(group, this.#members) === self;
  }

  /** Never throws: who does not hear of it begins anew. */
  async share(group: string, shared: SharedGroup): Promise<void> {
    if (this.#members.length < 2) return;
    const alerts = shared.memory.rules.reduce((sum, rule) => sum + rule.alerts.length, 0);
    if (alerts > MAX_SHARED_ALERTS) return;
    await this.#options.states.put(group, encodeShared(shared));
  }

  async recall(group: string): Promise<SharedGroup | undefined> {
    const bytes = await this.#options.states.get(group);
    if (!bytes) return undefined;
    try {
      return decodeShared(bytes) as SharedGroup;
    } catch (error) {
      this.#options.logger.warn("what another process said of a group can't be read", { group, error });
      return undefined;
    }
  }
}
