/** Directories and files below `data_dir`. */
export const DATA_LAYOUT = {
  metrics: "metrics",
  logs: "logs",
  traces: "traces",
  /** Counts of log patterns: found again from lines to come when they are gone. */
  patterns: "patterns",
  wal: "wal",
  deadLetters: "dead-letters",
  /** Silences, notifications, and why they were sent. */
  alerting: "alerting",
  /** What the limits of tenants remember over restarts. */
  limits: "limits",
  /** One directory per snapshot, each a data directory of its own. */
  snapshots: "snapshots",
  /** Whose positions a database has. */
  writer: "writer-id",
  catalog: "catalog.db",
} as const;
