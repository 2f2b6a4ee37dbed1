import { isResolvedAt } from "../../alert.ts";
import type { Journal } from "../journal/journal.ts";
import { labelMap } from "../labels.ts";
import { alertsOverlap, type KnownAlert, mergeAlerts } from "./known-alert.ts";

/** A line of the journal: an alert; new times of one that is known; or that all have been told of an end. */
export type AlertRecord =
  | { readonly alert: Omit<KnownAlert, "fingerprint"> & { readonly fingerprint: string } }
  | { readonly times: string; readonly updatedAtMs: number; readonly endsAtMs: number; readonly isTimeout: boolean }
  | { readonly settled: string };

export type AlertStoreOptions = {
  readonly maxAlerts: number;
  /** One that is over, and has to be kept nevertheless. */
  readonly isHeld?: (fingerprint: string, nowMs: number) => boolean;
  /** One that nobody held back any more has been forgotten. */
  readonly onForgotten?: (fingerprint: string) => void;
};

/** So long an alert that is over is kept, so that one that fires again at once is merged with it (Alertmanager's alerts.gc-interval). */
const KEPT_AFTER_END_MS = 30 * 60_000;

/**
 * All alerts that fire, and those that have just ended (provider/mem). Unlike Alertmanager's they are kept on disk: one that was
 * acknowledged is notified after a crash even if its sender does not post it again.
 */
export class AlertStore {
  readonly #options: AlertStoreOptions;
  readonly #alerts = new Map<string, KnownAlert>();
  readonly #settled = new Set<string>();
  #journal: Journal<AlertRecord> | undefined;

  constructor(options: AlertStoreOptions) {
    this.#options = options;
  }

  /** From now on alerts are written to it. */
  keepIn(journal: Journal<AlertRecord>): void {
    this.#journal = journal;
  }

  get size(): number {
    return this.#alerts.size;
  }

  get all(): readonly KnownAlert[] {
    return [...this.#alerts.values()];
  }

  find(fingerprint: string): KnownAlert | undefined {
    return this.#alerts.get(fingerprint);
  }

  /** What the journal has to hold. */
  get records(): readonly AlertRecord[] {
    return [
      ...this.all.map((alert) => ({ alert })),
      ...[...this.#settled].map((fingerprint) => ({ settled: fingerprint })),
    ];
  }

  /** To be called with each record of the journal, in order. */
  replay(record: AlertRecord): void {
    if ("settled" in record) this.#settled.add(record.settled);
    else if ("alert" in record) {
      const { labels, annotations, ...rest } = record.alert;
      this.#set({ ...rest, labels: labelMap(labels), annotations: labelMap(annotations) });
    } else {
      const { times, ...changed } = record;
      const known = this.#alerts.get(times);
      if (known) this.#set({ ...known, ...changed });
    }
  }

  /**
   * To be called once after the journal was replayed. Alerts that would have ended by now because nobody posted them may well
   * have been posted, to nobody: they get `graceMs` more.
   */
  resume(nowMs: number, graceMs: number): void {
    for (const alert of this.unsettled) {
      const wasFiring = alert.endsAtMs > alert.updatedAtMs;
      if (wasFiring && isResolvedAt(alert, nowMs)) this.#set({ ...alert, endsAtMs: nowMs + graceMs, isTimeout: true });
    }
    this.collectGarbage(nowMs);
  }

  /** Those that fire, and those of whose end somebody may have to be told. */
  get unsettled(): readonly KnownAlert[] {
    return this.all.filter(({ fingerprint }) => !this.#settled.has(fingerprint));
  }

  /**
   * Takes in what has been posted; gives it as it is known now, merged with what was known, and what there was no room for.
   * `durable` settles once it is.
   */
  put(alerts: readonly KnownAlert[], nowMs: number) {
    const stored: { readonly alert: KnownAlert; readonly before: KnownAlert | undefined }[] = [];
    const records: AlertRecord[] = [];
    let refused = 0;
    for (const next of alerts) {
      const before = this.#alerts.get(next.fingerprint);
      if (!before && this.#alerts.size >= this.#options.maxAlerts) {
        refused++;
        continue;
      }
      const alert = before && alertsOverlap(before, next) ? mergeAlerts(before, next, nowMs) : next;
      this.#set(alert);
      records.push(before && isSameButTimes(before, alert) ? timesOf(alert) : { alert });
      stored.push({ alert, before });
    }
    return { stored, refused, durable: this.#journal?.append(...records) ?? Promise.resolve() };
  }

  /** Everybody who had to be told of their end has been. */
  async settle(fingerprints: readonly string[], nowMs: number): Promise<void> {
    const over = fingerprints.filter((fingerprint) => {
      const alert = this.#alerts.get(fingerprint);
      return alert && isResolvedAt(alert, nowMs);
    });
    for (const fingerprint of over) this.#settled.add(fingerprint);
    await this.#journal?.append(...over.map((fingerprint) => ({ settled: fingerprint })));
  }

  collectGarbage(nowMs: number): void {
    for (const [fingerprint, alert] of this.#alerts) {
      if (alert.endsAtMs + KEPT_AFTER_END_MS > nowMs || this.#options.isHeld?.(fingerprint, nowMs)) continue;
      this.#alerts.delete(fingerprint);
      this.#settled.delete(fingerprint);
      this.#options.onForgotten?.(fingerprint);
    }
  }

  #set(alert: KnownAlert): void {
    this.#alerts.set(alert.fingerprint, alert);
    this.#settled.delete(alert.fingerprint);
  }
}

function timesOf({ fingerprint, updatedAtMs, endsAtMs, isTimeout }: KnownAlert): AlertRecord {
  return { times: fingerprint, updatedAtMs, endsAtMs, isTimeout };
}

/** Most posts only say that an alert still fires. */
function isSameButTimes(a: KnownAlert, b: KnownAlert): boolean {
  if (a.startsAtMs !== b.startsAtMs || a.generatorUrl !== b.generatorUrl) return false;
  const names = Object.keys(a.annotations);
  return (
    names.length === Object.keys(b.annotations).length &&
    names.every((name) => a.annotations[name] === b.annotations[name])
  );
}
