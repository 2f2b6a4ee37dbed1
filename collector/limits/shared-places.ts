import { labelValue, METRIC_NAME } from "@sightline/model/labels.ts";
import type { SeriesKey } from "@sightline/model/metric-batch.ts";
import type { SharedLimits } from "@sightline/model/shared-state.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { hashLabels, type SeriesSlots } from "./series-slots.ts";
import type { MetricLimits } from "./tenant-config.ts";

export type SharedPlacesOptions = {
  readonly shared: SharedLimits;
  readonly tenant: TenantId;
  readonly limits: MetricLimits;
  /** Of this process. */
  readonly slots: SeriesSlots;
};

/** New series of a request about which the others are asked; this process decides alone about more. */
const MAX_ASKED = 10_000;
/** Of those that are reported in one go. */
const MAX_REPORTED = 5_000;

type Wanted = { readonly hash: number; readonly metric: string };

/** Places of active series that collectors give together. They are known by a hash of their labels. */
export class SharedPlaces {
  readonly #options: SharedPlacesOptions;
  #reportedMs = 0;
  #isReporting = false;

  constructor(options: SharedPlacesOptions) {
    this.#options = options;
  }

  /**
   * Gives slots to those of the series, by reference, that have a place, and calls `onRefused` for those that have none. Undefined
   * when all have a slot already. Never rejects: nothing happens when nobody can be asked.
   */
  claim(series: ReadonlyMap<number, SeriesKey>, onRefused: (ref: number) => void): Promise<void> | undefined {
    const { slots } = this.#options;
    const wanted = new Map<number, Wanted>();
    for (const [ref, { labels }] of series) {
      const hash = hashLabels(labels);
      if (slots.has(hash)) continue;
      wanted.set(ref, { hash, metric: labelValue(labels, METRIC_NAME) });
      if (wanted.size >= MAX_ASKED) break;
    }
    if (wanted.size === 0) return undefined;
    return this.#ask(wanted, (ref, { hash, metric }, has) => {
      if (has) slots.grant(hash, metric);
      else onRefused(ref);
    });
  }

  /** Says now and then that those that came here are still active. Who has lost its place meanwhile loses its slot, too. */
  report(nowMs: number): void {
    const { limits, slots } = this.#options;
    if (this.#isReporting || nowMs - this.#reportedMs < limits.active_series_window_ms / 4) return;
    const active: Wanted[] = [];
    for (const [metric, series] of slots.saved()) {
      for (const { hash, seenMs } of series) if (seenMs >= this.#reportedMs) active.push({ hash, metric });
    }
    this.#reportedMs = nowMs;
    this.#isReporting = true;
    void this.#report(active).finally(() => {
      this.#isReporting = false;
    });
  }

  async #report(active: readonly Wanted[]): Promise<void> {
    for (let from = 0; from < active.length; from += MAX_REPORTED) {
      await this.#ask(new Map(active.slice(from, from + MAX_REPORTED).entries()), (_, { hash }, has) => {
        if (!has) this.#options.slots.revoke(hash);
      });
    }
  }

  async #ask(
    wanted: ReadonlyMap<number, Wanted>,
    onAnswer: (key: number, series: Wanted, has: boolean) => void,
  ): Promise<void> {
    const { shared, tenant, limits } = this.#options;
    // Without a bound for each metric they need not be told apart.
    const byMetric = limits.max_series_per_metric > 0;
    const groups = new Map<string, { readonly keys: number[]; readonly members: number[] }>();
    for (const [key, { hash, metric }] of wanted) {
      const name = byMetric ? metric : "";
      const group = groups.get(name) ?? { keys: [], members: [] };
      groups.set(name, group);
      group.keys.push(key);
      group.members.push(hash);
    }
    const claim = {
      list: tenant,
      maxPlaces: limits.max_active_series,
      maxPerGroup: limits.max_series_per_metric,
      ttlMs: limits.active_series_window_ms,
      groups: Array.from(groups, ([name, { members }]) => ({ name, members })),
    };
    const answers = await shared.claim(claim).catch(() => []);
    for (const [i, { keys }] of [...groups.values()].entries()) {
      for (const [at, key] of keys.entries()) {
        const has = answers[i]?.[at];
        if (has !== undefined) onAnswer(key, wanted.get(key) as Wanted, has);
      }
    }
  }
}
