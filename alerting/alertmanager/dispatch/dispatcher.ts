import type { LabelMap } from "../../alert.ts";
import type { KnownAlert } from "../alerts/known-alert.ts";
import { formatLabelMap } from "../labels.ts";
import { AlertGroup, type AlertGroupOptions, type GroupFlush } from "./alert-group.ts";
import { groupLabelsOf, matchRoutes, type Route } from "./route.ts";

export type DispatcherOptions = {
  readonly root: Route;
  readonly maxGroups: number;
  readonly notify: (flush: GroupFlush) => Promise<boolean>;
  readonly extraTimeoutMs: () => number;
  /** An alert that is over stays in its groups. */
  readonly isHeld?: AlertGroupOptions["isHeld"];
  /** No group holds these any more: all that had to be told of their end has been told. */
  readonly onSettled: (fingerprints: readonly string[]) => void;
  /** An alert has come into a group in which it was not. */
  readonly onGrouped: (alert: KnownAlert, group: AlertGroup) => void;
  /** An alert that found no place, because there are `maxGroups`. */
  readonly onLimit: (alert: KnownAlert, route: Route) => void;
};

/** Sorts alerts into groups, as the routes say (dispatch.Dispatcher). */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  /** By route, then by labels. */
  readonly #groups = new Map<Route, Map<string, AlertGroup>>();
  /** How many groups hold an alert. */
  readonly #holders = new Map<string, number>();
  #size = 0;
  #isRunning = false;
  readonly #waiting: (() => void)[] = [];

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  get root(): Route {
    return this.#options.root;
  }

  /** Groups made before now wait for it: they hold what was known when the process started. */
  start(): void {
    this.#isRunning = true;
    for (const begin of this.#waiting.splice(0)) begin();
  }

  /** Settles once nothing is being sent any more. */
  async stop(): Promise<void> {
    const stopping = [...this.groups()].map((group) => group.stop());
    this.#groups.clear();
    this.#holders.clear();
    this.#size = 0;
    await Promise.all(stopping);
  }

  routesOf(labels: LabelMap): readonly Route[] {
    return matchRoutes(this.#options.root, labels);
  }

  dispatch(alert: KnownAlert): void {
    for (const route of this.routesOf(alert.labels)) this.#insert(alert, route);
  }

  *groups(): Generator<AlertGroup> {
    for (const groups of this.#groups.values()) yield* groups.values();
  }

  #insert(alert: KnownAlert, route: Route): void {
    const labels = groupLabelsOf(route, alert.labels);
    const name = formatLabelMap(labels);
    const existing = this.#groups.get(route)?.get(name);
    if (existing) {
      this.#hold(existing, alert);
      return;
    }
    if (this.#size >= this.#options.maxGroups) {
      this.#options.onLimit(alert, route);
      return;
    }
    const group = this.#create(route, labels, name);
    this.#hold(group, alert);
    const nowMs = Date.now();
    // An old alert has waited long enough.
    const dueMs = alert.startsAtMs + route.groupWaitMs < nowMs ? nowMs : nowMs + route.groupWaitMs;
    const begin = () => group.start(Math.max(0, dueMs - Date.now()));
    if (this.#isRunning) begin();
    else this.#waiting.push(begin);
  }

  #hold(group: AlertGroup, alert: KnownAlert): void {
    if (!group.insert(alert)) return;
    this.#holders.set(alert.fingerprint, (this.#holders.get(alert.fingerprint) ?? 0) + 1);
    this.#options.onGrouped(alert, group);
  }

  #create(route: Route, labels: LabelMap, name: string): AlertGroup {
    const { notify, extraTimeoutMs, isHeld } = this.#options;
    const group = new AlertGroup({
      route,
      labels,
      notify,
      extraTimeoutMs,
      isHeld,
      onSettled: (fingerprints) => this.#release(fingerprints),
      onEmpty: () => this.#forget(route, name, group),
    });
    const groups = this.#groups.get(route) ?? new Map<string, AlertGroup>();
    this.#groups.set(route, groups.set(name, group));
    this.#size++;
    return group;
  }

  #forget(route: Route, name: string, group: AlertGroup): void {
    if (this.#groups.get(route)?.get(name) !== group) return;
    this.#groups.get(route)?.delete(name);
    this.#size--;
  }

  #release(fingerprints: readonly string[]): void {
    const settled = fingerprints.filter((fingerprint) => {
      const holders = (this.#holders.get(fingerprint) ?? 1) - 1;
      if (holders > 0) this.#holders.set(fingerprint, holders);
      else this.#holders.delete(fingerprint);
      return holders <= 0;
    });
    if (settled.length > 0) this.#options.onSettled(settled);
  }
}
