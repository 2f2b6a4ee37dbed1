import type { Config } from "@sightline/config/schema.ts";
import { InvalidInputError } from "@sightline/model/errors.ts";

/** Which parts a process runs (`--target`). */
export type Targets = {
  /** Receivers, write-ahead log, processors; writes to the stores. */
  readonly collector: boolean;
  /** Query APIs over the stores. */
  readonly query: boolean;
  readonly alerting: boolean;
};

/** Of a text that the configuration has checked. */
export function targetsOf({ target }: Pick<Config, "target">): Targets {
  const named = new Set(target.split(","));
  const has = (name: string) => named.has("all") || named.has(name);
  return { collector: has("collector"), query: has("query"), alerting: has("alerting") };
}

/** Whether it writes to the stores, by way of a log in `data_dir`: what it receives, or what rules record. */
export function keepsLog({ collector, alerting }: Targets): boolean {
  return collector || alerting;
}

/** Throws {@link InvalidInputError} when processes with these parts could not work together. */
export function assertTargetsWork(config: Config): void {
  const targets = targetsOf(config);
  // One process has everything that its own files need.
  if (targets.collector && targets.query) return;
  const { storage, catalog, auth, target } = config;
  const problems: string[] = [];
  const kinds = [
    ["storage.metrics.kind", storage.metrics.kind, "timescale"],
    ["storage.logs.kind", storage.logs.kind, "opensearch"],
    ["storage.traces.kind", storage.traces.kind, "opensearch"],
  ] as const;
  const why = targets.collector
    ? "what is kept in files of this process no other one could query"
    : "files of another process can't be read";
  for (const [key, kind, shared] of kinds) {
    if (kind === "embedded") problems.push(`${key} is embedded, and ${why}: set it to ${shared}`);
  }
  // A collector without keys needs none.
  if (catalog.kind === "sqlite" && (auth.mode === "keys" || targets.query || targets.alerting)) {
    problems.push("catalog.kind is sqlite, a file of this process alone: set it to postgres");
  }
  if (problems.length === 0) return;
  throw new InvalidInputError(
    `target ${target} can't work with these settings:\n  ${problems.join("\n  ")}\nor run collector and query in one process (target all)`,
  );
}
