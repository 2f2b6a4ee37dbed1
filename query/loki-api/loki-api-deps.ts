import type { AuditLog } from "@sightline/model/audit-log.ts";
import type { LogFeed, LogStore } from "@sightline/model/log-store.ts";
import type { DeletesRows } from "@sightline/model/row-deletion.ts";
import type { QueryApiDeps } from "../http/query-api.ts";
import type { LogqlEngine } from "../logql/logql-engine.ts";

/** What Loki's API answers from; whoever wires the process brings it. */
export type LokiApiDeps = QueryApiDeps & {
  readonly engine: Pick<LogqlEngine, "instant" | "range">;
  readonly store: Pick<LogStore, "streams">;
  /** Of lines to those who tail; absent: the store is asked for them. */
  readonly feed?: LogFeed | undefined;
  /** Patterns are served beside it. */
  readonly hasPatterns?: boolean | undefined;
  /** Absent: lines can't be deleted here. */
  readonly deletion?: LokiDeletionDeps | undefined;
  /** Absent: the server says nothing of itself. */
  readonly server?: LokiServerFacts | undefined;
  /** For times that a request does not name; by default the system's clock. */
  readonly nowMs?: () => number;
};

/** What Loki's deletion API works on. */
export type LokiDeletionDeps = { readonly store: DeletesRows; readonly audit: AuditLog };

/** What Loki's API says of the process; whoever wires it knows. */
export type LokiServerFacts = {
  /** How long lines are kept, as a duration in Prometheus' form. */
  readonly logRetention: string;
  readonly logLevel: string;
  /** The configuration in effect, as YAML, without secrets. */
  readonly configYaml: () => string;
  /** Parts of the process, and how they are: `Running`. */
  readonly services: () => ReadonlyMap<string, string>;
};
