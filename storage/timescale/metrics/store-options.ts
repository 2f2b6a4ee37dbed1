import type { Logger } from "@sightline/model/logger.ts";
import type { Registry } from "prom-client";
import type { TimescaleMetricsConfig } from "../config.ts";
import type { Database } from "../database/database.ts";
import type { RetentionOverrides } from "./retention/retention.ts";

export type TimescaleMetricStoreOptions = {
  /** Started before this store and stopped after it. */
  readonly database: Database;
  readonly config: TimescaleMetricsConfig;
  /**
   * Whose positions those of `append` are: the same after a restart, and of one running process at a time. Absent: the store
   * is only read, and does not maintain the tables.
   */
  readonly writer?: string | undefined;
  /** Absent: the configuration counts for all tenants. */
  readonly overrides?: RetentionOverrides;
  readonly logger: Logger;
  readonly registry: Registry;
  /** False for servers that can't COPY in. */
  readonly copyIn?: boolean;
  /** The clock, for tests. */
  readonly nowMs?: () => number;
};
