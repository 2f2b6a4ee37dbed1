/** What was decided about an alert or a group, for whoever asks later why somebody was paged, or was not. */
export type Decision = {
  readonly atMs: number;
  readonly kind:
    | "firing"
    | "resolved"
    | "grouped"
    | "dropped"
    | "inhibited"
    | "silenced"
    | "flapping"
    | "muted"
    | "inactive"
    | "released"
    | "not-notified"
    | "attempt"
    | "notified"
    | "failed";
  /** Absent: about the whole group. */
  readonly fingerprint?: string | undefined;
  readonly groupKey?: string | undefined;
  readonly receiver?: string | undefined;
  /** `webhook[0]` */
  readonly integration?: string | undefined;
  /** Everything else, for people: at most some kilobytes. */
  readonly detail: Readonly<Record<string, unknown>>;
};

/** Takes decisions to keep them. Never fails, and never waits: what can't be kept is counted. */
export interface DecisionSink {
  record(decision: Decision): void;
}
