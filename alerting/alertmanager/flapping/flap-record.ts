/** When an alert flaps, and when it is calm again: with hysteresis, so that it is not said of the same one all the time. */
export type FlapLimits = {
  /** With more changes between firing and resolved than these within `windowMs` it flaps. */
  readonly changes: number;
  /** It is calm again with no more than these within `windowMs`; less than `changes`. */
  readonly calmChanges: number;
  readonly windowMs: number;
  /** It is calm, too, when it has not changed for so long. */
  readonly calmMs: number;
};

/** That an alert flaps. */
export type Flapping = {
  /** The first of the changes that were counted. */
  readonly sinceMs: number;
  /** All since then. */
  readonly changes: number;
};

/** What is known of the changes of one alert: a line of the journal, which replaces the one before. */
export type FlapRecord = {
  readonly fingerprint: string;
  /** Ascending; the newest `changes + 1` since it was calm. */
  readonly timesMs: readonly number[];
  /** Absent: it does not, or no longer. */
  readonly flapping?: Flapping | undefined;
  /** When it flapped last. */
  readonly calmedAtMs?: number | undefined;
};

/** The record after one more change, which comes after those before. One that had calmed down has to be passed as such. */
export function afterChange(record: FlapRecord, atMs: number, { changes, windowMs }: FlapLimits): FlapRecord {
  const timesMs = [...record.timesMs, Math.max(atMs, lastChangeMs(record))].slice(-(changes + 1));
  if (record.flapping) {
    return { ...record, timesMs, flapping: { ...record.flapping, changes: record.flapping.changes + 1 } };
  }
  const sinceMs = timesMs[0] as number;
  const flaps = timesMs.length > changes && sinceMs > lastChangeMs({ timesMs }) - windowMs;
  return flaps ? { ...record, timesMs, flapping: { sinceMs, changes: timesMs.length } } : { ...record, timesMs };
}

/** When one that flaps is calm if it does not change until then. */
export function calmAtMs({ timesMs }: Pick<FlapRecord, "timesMs">, limits: FlapLimits): number {
  const unchangedMs = lastChangeMs({ timesMs }) + limits.calmMs;
  // When this one has left the window, as many as may be there are left in it.
  const lastTooManyMs = timesMs.at(-1 - limits.calmChanges);
  return lastTooManyMs === undefined ? unchangedMs : Math.min(unchangedMs, lastTooManyMs + limits.windowMs);
}

export function isFlapping(record: FlapRecord, atMs: number, limits: FlapLimits): boolean {
  return record.flapping !== undefined && atMs < calmAtMs(record, limits);
}

export function lastChangeMs({ timesMs }: Pick<FlapRecord, "timesMs">): number {
  return timesMs.at(-1) ?? Number.NEGATIVE_INFINITY;
}

/** After this nothing about it matters any more. */
export function forgottenAtMs(record: FlapRecord, { windowMs, calmMs }: FlapLimits): number {
  return Math.max(lastChangeMs(record), record.calmedAtMs ?? Number.NEGATIVE_INFINITY) + Math.max(windowMs, calmMs);
}
