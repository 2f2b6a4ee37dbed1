import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@sightline/model/logger.ts";
import { isResolvedAt, type LabelMap } from "../../alert.ts";
import type { AlertmanagerMetrics } from "../alertmanager-metrics.ts";
import type { KnownAlert } from "../alerts/known-alert.ts";
import type { GroupFlush } from "../dispatch/alert-group.ts";
import type { FlapDetector } from "../flapping/flap-detector.ts";
import { memberOf, type ToldAlert } from "../flapping/told-alert.ts";
import type { Decision, DecisionSink } from "../history/decision.ts";
import type { Inhibitor } from "../inhibition/inhibitor.ts";
import { EntryMemory } from "../notification-log/entry-memory.ts";
import type { NotificationLog } from "../notification-log/notification-log.ts";
import { decideNotification } from "../notification-log/notify-decision.ts";
import type { Silences } from "../silences/silences.ts";
import { intervalContains, type TimeInterval } from "../timing/time-interval.ts";
import { deliver } from "./deliver.ts";
import type { Integration } from "./integration.ts";
import type { Slots } from "./slots.ts";

/** What the pipeline has to know of other replicas. */
export interface Replicas {
  /** Settles when what others know is known here, too. */
  settled(signal: AbortSignal): Promise<void>;
  /** So long this one waits for those before it to notify. */
  waitMs(): number;
}

export type PipelineOptions = {
  readonly integrations: ReadonlyMap<string, readonly Integration[]>;
  readonly timeIntervals: ReadonlyMap<string, readonly TimeInterval[]>;
  readonly inhibitor: Inhibitor;
  readonly silences: Silences;
  readonly log: NotificationLog;
  /** Absent: all changes are told. */
  readonly flaps?: FlapDetector | undefined;
  readonly replicas: Replicas;
  readonly slots: Slots;
  readonly metrics: AlertmanagerMetrics;
  readonly decisions: DecisionSink;
  readonly logger: Logger;
  readonly routeLabels: (flush: GroupFlush) => LabelMap;
};

/** Fingerprints that are named in one decision. */
const MAX_NAMED = 1_000;
/** What was last recorded of one group. */
const MAX_REMEMBERED = 20_000;

/**
 * What a group has to say goes through all of this, in this order (notify.PipelineBuilder): wait for replicas, inhibition,
 * active times, mute times, silences; then for each integration: wait for the turn, put up with those that flap, deduplicate,
 * send, log.
 */
export class NotificationPipeline {
  readonly #options: PipelineOptions;
  /** What was last recorded of a group or an alert in it, so that only changes are. */
  readonly #lastRecorded = new WeakMap<object, Map<string, string>>();

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /** False when something failed that has to be tried again. Does not throw. */
  async run(flush: GroupFlush): Promise<boolean> {
    try {
      await this.#options.replicas.settled(flush.signal);
      const heard = this.#withoutInhibited(flush, flush.alerts);
      if (heard.length > 0 && this.#isOutOfTime(flush, heard.length)) return true;
      const audible = this.#withoutSilenced(flush, heard);
      if (audible.length === 0) return true;
      const integrations = this.#options.integrations.get(flush.group.route.receiver) ?? [];
      const outcomes = await Promise.all(integrations.map((one) => this.#tell(one, flush, audible)));
      return outcomes.every((isDone) => isDone);
    } catch (error) {
      if (!flush.signal.aborted) {
        this.#options.logger.error("a group was not notified", { groupKey: flush.group.key, error });
      }
      return false;
    }
  }

  #withoutInhibited(flush: GroupFlush, alerts: readonly KnownAlert[]): readonly KnownAlert[] {
    const { inhibitor, metrics } = this.#options;
    const heard = alerts.filter((alert) => {
      const inhibition = inhibitor.inhibitionOf(alert.labels, flush.nowMs);
      this.#recordAlert(
        flush,
        alert,
        "inhibited",
        inhibition && { by: inhibition.by.fingerprint, rule: inhibition.rule.name },
      );
      return inhibition === undefined;
    });
    metrics.suppressed("inhibition", alerts.length - heard.length);
    return heard;
  }

  #withoutSilenced(flush: GroupFlush, alerts: readonly KnownAlert[]): readonly KnownAlert[] {
    const { silences, metrics } = this.#options;
    const audible = alerts.filter((alert) => {
      const by = silences.silencesOf(alert.fingerprint, alert.labels, flush.nowMs);
      this.#recordAlert(flush, alert, "silenced", by.length > 0 ? { by } : undefined);
      return by.length === 0;
    });
    metrics.suppressed("silence", alerts.length - audible.length);
    return audible;
  }

  #isOutOfTime({ group, nowMs }: GroupFlush, count: number): boolean {
    const { metrics } = this.#options;
    const { activeTimeIntervals, muteTimeIntervals } = group.route;
    const contains = (name: string) =>
      (this.#options.timeIntervals.get(name) ?? []).some((interval) => intervalContains(interval, nowMs));
    const isActive = activeTimeIntervals.length === 0 || activeTimeIntervals.some(contains);
    const mutedBy = muteTimeIntervals.filter(contains);
    group.mutedBy = isActive ? mutedBy : activeTimeIntervals;
    this.#recordChange(group, "inactive", isActive ? undefined : { intervals: activeTimeIntervals }, {
      groupKey: group.key,
    });
    this.#recordChange(group, "muted", mutedBy.length > 0 ? { by: mutedBy } : undefined, { groupKey: group.key });
    if (!isActive) metrics.suppressed("active_time_interval", count);
    else if (mutedBy.length > 0) metrics.suppressed("mute_time_interval", count);
    return group.mutedBy.length > 0;
  }

  async #tell(integration: Integration, flush: GroupFlush, audible: readonly KnownAlert[]): Promise<boolean> {
    const { replicas, log, flaps, decisions } = this.#options;
    const { group, signal } = flush;
    const waitMs = replicas.waitMs();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal, ref: false });
    const { receiver, name, notifier } = integration;
    const about = { groupKey: group.key, receiver, integration: name };
    const last = log.find(about);
    const alerts: readonly ToldAlert[] = flaps
      ? audible.map((alert) => flaps.asTold(alert, last, flush.nowMs))
      : audible;
    const resolved = alerts.filter((alert) => isResolvedAt(alert, flush.nowMs)).map(memberOf);
    const firing = alerts.filter((alert) => !isResolvedAt(alert, flush.nowMs)).map(memberOf);
    const decision = decideNotification(
      last,
      { firing: new Set(firing), resolved: new Set(resolved) },
      {
        sendsResolved: notifier.sendsResolved,
        repeatIntervalMs: group.route.repeatIntervalMs,
        nowMs: flush.nowMs,
      },
    );
    const silent = decision.notify ? undefined : { reason: decision.reason };
    this.#recordChange(group, "not-notified", silent, about);
    if (!decision.notify) return true;
    const record = (kind: Decision["kind"], detail: Decision["detail"]) =>
      decisions.record({ atMs: Date.now(), kind, ...about, detail });
    const told = { firing: firing.slice(0, MAX_NAMED), resolved: resolved.slice(0, MAX_NAMED) };
    const counts = { reason: decision.reason, firingCount: firing.length, resolvedCount: resolved.length };
    // Those that want no word of ends are told nothing; but that it has ended is known from now on.
    if (!notifier.sendsResolved && firing.length === 0) {
      record("not-notified", { reason: "all are resolved, and send_resolved is false", ...told });
      await log.log(about, { firing, resolved }, group.route.repeatIntervalMs);
      return true;
    }
    const memory = new EntryMemory(last, decision.reason);
    const result = await deliver(
      this.#options,
      integration,
      {
        receiver,
        groupKey: group.key,
        groupLabels: group.labels,
        routeLabels: this.#options.routeLabels(flush),
        reason: decision.reason,
        alerts: notifier.sendsResolved ? alerts : alerts.filter((alert) => !isResolvedAt(alert, flush.nowMs)),
        nowMs: flush.nowMs,
        memory,
      },
      signal,
    );
    record(result.ok ? "notified" : "failed", { ...counts, ...told, answer: result.detail });
    if (!result.ok) return false;
    await log.log(about, { firing, resolved, memory: memory.record }, group.route.repeatIntervalMs);
    return true;
  }

  #recordAlert(
    flush: GroupFlush,
    { fingerprint }: KnownAlert,
    kind: Decision["kind"],
    detail: Decision["detail"] | undefined,
  ) {
    this.#recordChange(flush.group, kind, detail, { fingerprint, groupKey: flush.group.key });
  }

  /** Groups are looked at every few minutes: only what is not as it was before is worth keeping. */
  #recordChange(
    owner: object,
    kind: Decision["kind"],
    detail: Decision["detail"] | undefined,
    about: Partial<Decision>,
  ): void {
    let last = this.#lastRecorded.get(owner);
    const key = `${kind} ${about.fingerprint ?? ""} ${about.integration ?? ""}`;
    const text = detail && JSON.stringify(detail);
    if (last?.get(key) === text) return;
    if (!last) {
      last = new Map();
      this.#lastRecorded.set(owner, last);
    }
    // Alerts that have left the group: forgotten now and then, at the price of a record that is there already.
    if (last.size > MAX_REMEMBERED) last.clear();
    if (text === undefined) last.delete(key);
    else last.set(key, text);
    if (detail) this.#options.decisions.record({ atMs: Date.now(), kind, ...about, detail });
    else if (kind !== "not-notified") {
      this.#options.decisions.record({ atMs: Date.now(), kind: "released", ...about, detail: { from: kind } });
    }
  }
}
