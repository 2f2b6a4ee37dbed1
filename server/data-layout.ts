/** Directories and files below `data_dir`. */
export const DATA_LAYOUT = {
  metrics: "metrics",
  logs: "logs",
  traces: "traces",
  wal: "wal",
  deadLetters: "dead-letters",
  catalog: "catalog.db",
} as const;
