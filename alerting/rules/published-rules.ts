import type { RuleGroupState, RuleStates } from "@sightline/model/rules.ts";
import type { SharedCache } from "@sightline/model/shared-state.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { decodeShared } from "./shared-json.ts";

/** Which groups of a tenant there are, as whoever evaluates some of them said last. */
export type PublishedIndex = {
  readonly atMs: number;
  readonly alertmanagers: readonly string[];
  /** By file and name. */
  readonly groups: readonly string[];
};

/** Whoever said nothing for so long evaluates nothing any more; clocks may differ by most of it. */
const SILENT_AFTER_MS = 60_000;

export function indexKey(tenant: TenantId): string {
  return `index;${tenant}`;
}

export function groupKey(name: string): string {
  return `group;${name}`;
}

/** Rules that other processes evaluate, for one that does not: as they told of them, some seconds ago. */
export class PublishedRules implements RuleStates {
  readonly #published: SharedCache;
  readonly #nowMs: () => number;
  #alertmanagers: readonly string[] = [];

  constructor(published: SharedCache, nowMs: () => number = Date.now) {
    this.#published = published;
    this.#nowMs = nowMs;
  }

  /** As those who evaluate rules said when somebody last asked for rules. */
  get alertmanagers(): readonly string[] {
    return this.#alertmanagers;
  }

  async groups(tenant: TenantId): Promise<readonly RuleGroupState[]> {
    const index = await this.#read<PublishedIndex>(indexKey(tenant));
    if (!index || this.#nowMs() - index.atMs > SILENT_AFTER_MS) return [];
    this.#alertmanagers = index.alertmanagers;
    const states = await Promise.all(index.groups.map((name) => this.#read<RuleGroupState>(groupKey(name))));
    // One that was just taken over is not told of yet.
    return states.filter((state) => state !== undefined);
  }

  async #read<T>(key: string): Promise<T | undefined> {
    const bytes = await this.#published.get(key);
    try {
      return bytes && (decodeShared(bytes) as T);
    } catch {
      // Written by a release that says it otherwise.
      return undefined;
    }
  }
}
