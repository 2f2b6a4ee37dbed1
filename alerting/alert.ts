/** Names to values; no label has an empty value. In no particular order. */
export type LabelMap = Readonly<Record<string, string>>;

/**
 * An alert as senders post it and receivers are told of it (Alertmanager's types.Alert). It is firing until `endsAtMs`,
 * in milliseconds since the epoch.
 */
export type Alert = {
  readonly labels: LabelMap;
  readonly annotations: LabelMap;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  /** When it was last received. */
  readonly updatedAtMs: number;
  readonly generatorUrl: string;
  /** `endsAtMs` is a guess: nobody said when it ends. */
  readonly isTimeout: boolean;
};

/** It has ended at the time. */
export function isResolvedAt(alert: Pick<Alert, "endsAtMs">, atMs: number): boolean {
  return alert.endsAtMs <= atMs;
}
