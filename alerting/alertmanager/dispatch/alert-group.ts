import type { LabelMap } from "../../alert.ts";
import { isResolvedAt } from "../../alert.ts";
import { compareAlerts, type KnownAlert } from "../alerts/known-alert.ts";
import { formatLabelMap } from "../labels.ts";
import { Timer } from "../timing/timer.ts";
import type { Route } from "./route.ts";

/** Shorter ones would end attempts that only take a while (notify.MinTimeout). */
const MIN_TIMEOUT_MS = 10_000;

/** What a group has to say at one time. */
export type GroupFlush = {
  readonly group: AlertGroup;
  /** Sorted. Which are resolved is decided by `nowMs`. */
  readonly alerts: readonly KnownAlert[];
  readonly nowMs: number;
  /** Aborts when the time for it is over, or the group is stopped. */
  readonly signal: AbortSignal;
};

export type AlertGroupOptions = {
  readonly route: Route;
  readonly labels: LabelMap;
  /** Says it to whoever has to know; false when that failed, and has to be tried again. Does not throw. */
  readonly notify: (flush: GroupFlush) => Promise<boolean>;
  /** Added to the time that notifications have: how long this replica waits for others. */
  readonly extraTimeoutMs: () => number;
  /** An alert stays in the group although it is over, because its end is not told yet. */
  readonly isHeld?: ((fingerprint: string, nowMs: number) => boolean) | undefined;
  /** They have been told to be resolved, and left the group. */
  readonly onSettled: (fingerprints: readonly string[]) => void;
  /** The last alert has left: the group is of no use any more. */
  readonly onEmpty: (group: AlertGroup) => void;
};

/** Alerts that one route tells of together (dispatch.aggrGroup): after group_wait, then every group_interval. */
export class AlertGroup {
  readonly route: Route;
  readonly labels: LabelMap;
  /** `{}/{severity="page"}:{alertname="Down"}` */
  readonly key: string;
  /** Names of time intervals that hold all of it back now. */
  mutedBy: readonly string[] = [];
  readonly #options: AlertGroupOptions;
  readonly #alerts = new Map<string, KnownAlert>();
  readonly #timer = new Timer(() => this.#onTime());
  readonly #stopped = new AbortController();
  #flushing: Promise<void> | undefined;
  #isDue = false;

  constructor(options: AlertGroupOptions) {
    this.#options = options;
    this.route = options.route;
    this.labels = options.labels;
    this.key = `${options.route.key}:${formatLabelMap(options.labels)}`;
  }

  get alerts(): readonly KnownAlert[] {
    return [...this.#alerts.values()];
  }

  has(fingerprint: string): boolean {
    return this.#alerts.has(fingerprint);
  }

  /** True when it is new in the group. */
  insert(alert: KnownAlert): boolean {
    const isNew = !this.#alerts.has(alert.fingerprint);
    this.#alerts.set(alert.fingerprint, alert);
    return isNew;
  }

  start(delayMs: number): void {
    this.#timer.set(delayMs);
  }

  /** Ends what is being sent; settles once it has ended. */
  async stop(): Promise<void> {
    this.#timer.clear();
    this.#stopped.abort(new Error("the configuration has changed, or the process stops"));
    await this.#flushing;
  }

  #onTime(): void {
    if (this.#stopped.signal.aborted) return;
    this.#timer.set(this.route.groupIntervalMs);
    if (this.#flushing) this.#isDue = true;
    else this.#flushing = this.#flush();
  }

  async #flush(): Promise<void> {
    do {
      this.#isDue = false;
      await this.#flushOnce();
    } while (this.#isDue && !this.#stopped.signal.aborted);
    this.#flushing = undefined;
  }

  async #flushOnce(): Promise<void> {
    const nowMs = Date.now();
    const alerts = this.alerts.toSorted(compareAlerts);
    if (alerts.length === 0) return this.#leaveIfEmpty();
    const told = alerts.filter(
      (alert) => isResolvedAt(alert, nowMs) && !this.#options.isHeld?.(alert.fingerprint, nowMs),
    );
    const timeoutMs = Math.max(MIN_TIMEOUT_MS, this.route.groupIntervalMs) + this.#options.extraTimeoutMs();
    const timeout = new AbortController();
    const timer = new Timer(() => timeout.abort(new Error(`it took more than ${timeoutMs} ms`)));
    timer.set(timeoutMs);
    const signal = AbortSignal.any([this.#stopped.signal, timeout.signal]);
    const isDone = await this.#options.notify({ group: this, alerts, nowMs, signal });
    timer.clear();
    if (!isDone) return;
    // One that has fired again in the meantime is another one.
    const settled = told.filter((alert) => this.#alerts.get(alert.fingerprint) === alert);
    for (const { fingerprint } of settled) this.#alerts.delete(fingerprint);
    if (settled.length > 0) this.#options.onSettled(settled.map(({ fingerprint }) => fingerprint));
    this.#leaveIfEmpty();
  }

  #leaveIfEmpty(): void {
    if (this.#alerts.size > 0) return;
    this.#timer.clear();
    this.#isDue = false;
    this.#options.onEmpty(this);
  }
}
