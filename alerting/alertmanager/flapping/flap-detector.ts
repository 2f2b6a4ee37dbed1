import type { Logger } from "@sightline/model/logger.ts";
import { isResolvedAt } from "../../alert.ts";
import type { AlertmanagerMetrics } from "../alertmanager-metrics.ts";
import type { KnownAlert } from "../alerts/known-alert.ts";
import type { DecisionSink } from "../history/decision.ts";
import type { Journal } from "../journal/journal.ts";
import type { NotificationEntry } from "../notification-log/notify-decision.ts";
import {
  afterChange,
  calmAtMs,
  type FlapLimits,
  type Flapping,
  type FlapRecord,
  forgottenAtMs,
  isFlapping,
  lastChangeMs,
} from "./flap-record.ts";
import { type FlapStatus, flappingMember, isToldCalm, type ToldAlert, toldAsFlapping } from "./told-alert.ts";

export type FlapDetectorOptions = {
  readonly limits: FlapLimits;
  /** Alerts whose changes are counted; those of more are told as they come. */
  readonly maxAlerts: number;
  readonly metrics: Pick<AlertmanagerMetrics, "flapChangeHeld" | "flapUncounted">;
  readonly decisions: DecisionSink;
  readonly logger: Logger;
};

/**
 * Counts how often alerts change between firing and resolved. From when one flaps until it is calm receivers are told once
 * that it does, and of none of its changes. Only alerts that have changed lately are known here. Replicas come to the same, for
 * they count the same alerts; what one has missed it learns from the log of notifications ({@link adopt}).
 */
export class FlapDetector {
  readonly #options: FlapDetectorOptions;
  readonly #records = new Map<string, FlapRecord>();
  #journal: Journal<FlapRecord> | undefined;

  constructor(options: FlapDetectorOptions) {
    this.#options = options;
  }

  /** From now on records are written to it. */
  keepIn(journal: Journal<FlapRecord>): void {
    this.#journal = journal;
  }

  get records(): readonly FlapRecord[] {
    return [...this.#records.values()];
  }

  /** To be called with each record of the journal, in order. */
  replay(record: FlapRecord): void {
    this.#records.set(record.fingerprint, record);
  }

  /** To be told of every alert that is received: what it was, when it was known, and what it is now. */
  observe(alert: KnownAlert, before: KnownAlert | undefined, nowMs: number): void {
    const { fingerprint } = alert;
    const fires = !isResolvedAt(alert, nowMs);
    if (before === undefined) {
      // One that is known here only has been over for so long that it was forgotten elsewhere.
      if (fires && this.#records.has(fingerprint)) this.#change(fingerprint, nowMs);
      return;
    }
    const fired = !isResolvedAt(before, nowMs);
    // Nobody posted it any more, so that it ended by itself.
    if (!fired && before.endsAtMs > before.updatedAtMs) this.#change(fingerprint, before.endsAtMs);
    if (fires !== fired) this.#change(fingerprint, nowMs);
  }

  /** Takes over that alerts flap from a replica that has told so; this one may have missed some of their changes. */
  adopt({ firing, timeMs }: NotificationEntry, nowMs: number): void {
    const { limits } = this.#options;
    if (nowMs - timeMs >= limits.calmMs) return;
    for (const member of firing) {
      const fingerprint = flappingMember(member);
      if (fingerprint === undefined || this.flappingOf(fingerprint, nowMs)) continue;
      const known = this.#calmed(fingerprint, nowMs);
      if (!known || (known.calmedAtMs ?? 0) >= timeMs) continue;
      const timesMs = [...known.timesMs, Math.max(timeMs, lastChangeMs(known))].slice(-(limits.changes + 1));
      this.#keep({ ...known, timesMs, flapping: { sinceMs: timesMs[0] as number, changes: timesMs.length } });
    }
  }

  /** Undefined when it does not flap at the time. */
  flappingOf(fingerprint: string, atMs: number): FlapStatus | undefined {
    const record = this.#records.get(fingerprint);
    const { limits } = this.#options;
    if (!record?.flapping || !isFlapping(record, atMs, limits)) return undefined;
    return { ...record.flapping, lastChangeMs: lastChangeMs(record), calmAtMs: calmAtMs(record, limits) };
  }

  /** The alert as an integration is told of it that was told `last`. */
  asTold(alert: KnownAlert, last: NotificationEntry | undefined, atMs: number): ToldAlert {
    const flapping = this.flappingOf(alert.fingerprint, atMs);
    if (!flapping || isToldCalm(alert, flapping, last)) return alert;
    return toldAsFlapping(alert, flapping, this.#options.limits.calmMs);
  }

  countFlapping(nowMs: number): number {
    return this.records.filter((record) => isFlapping(record, nowMs, this.#options.limits)).length;
  }

  /** Says of those that are calm that they are, and forgets those that have not changed lately. */
  collectGarbage(nowMs: number): void {
    const { limits } = this.#options;
    for (const record of this.records) {
      if (record.flapping) this.#calmed(record.fingerprint, nowMs);
      else if (forgottenAtMs(record, limits) <= nowMs) this.#records.delete(record.fingerprint);
    }
  }

  #change(fingerprint: string, atMs: number): void {
    const { limits, metrics } = this.#options;
    const before = this.#calmed(fingerprint, atMs);
    if (!before) {
      metrics.flapUncounted();
      return;
    }
    const record = afterChange(before, atMs, limits);
    this.#keep(record);
    if (before.flapping) metrics.flapChangeHeld();
    else if (record.flapping) this.#recordFlapping(record, record.flapping, atMs);
  }

  /** What is known of it, as calm when it is; undefined when there is no room for it. Its count begins anew then. */
  #calmed(fingerprint: string, atMs: number): FlapRecord | undefined {
    const record = this.#records.get(fingerprint);
    if (!record) {
      return this.#records.size < this.#options.maxAlerts ? { fingerprint, timesMs: [] } : undefined;
    }
    const { limits, decisions } = this.#options;
    if (!record.flapping || isFlapping(record, atMs, limits)) return record;
    const calmedAtMs = calmAtMs(record, limits);
    const calmed = { fingerprint, timesMs: [], calmedAtMs };
    this.#keep(calmed);
    const { changes, sinceMs } = record.flapping;
    const detail = { from: "flapping", changes, since: new Date(sinceMs).toISOString() };
    decisions.record({ atMs: calmedAtMs, kind: "released", fingerprint, detail });
    return calmed;
  }

  #recordFlapping({ fingerprint, timesMs }: FlapRecord, { changes, sinceMs }: Flapping, atMs: number): void {
    const { limits, decisions } = this.#options;
    const since = new Date(sinceMs).toISOString();
    const calmAt = new Date(calmAtMs({ timesMs }, limits)).toISOString();
    decisions.record({ atMs, kind: "flapping", fingerprint, detail: { changes, since, calmAt } });
  }

  /** Not waited for: alerts are durable themselves, and without this one they are told rather too often. */
  #keep(record: FlapRecord): void {
    this.#records.set(record.fingerprint, record);
    this.#journal?.append(record).catch((error) => {
      this.#options.logger.warn("how often an alert changed could not be kept", { error });
    });
  }
}
