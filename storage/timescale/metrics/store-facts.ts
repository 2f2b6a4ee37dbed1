import type { Logger } from "@sightline/model/logger.ts";
import type { TimescaleMetricsConfig } from "../config.ts";
import type { Client } from "../database/database.ts";
import type { MigrationSet } from "../database/migrations.ts";

/** What the migrations found when they made the tables. */
export type StoreFacts = {
  readonly layout: "hypertable" | "partitions";
  /** Queries run as this role, which sees one tenant's rows; undefined: it could not be made. */
  readonly reader: string | undefined;
};

export async function readFacts(client: Client): Promise<StoreFacts> {
  const { rows } = await client.query("SELECT key, value FROM facts");
  const facts = new Map(rows.map(({ key, value }) => [key as string, value as string]));
  return { layout: facts.get("layout") === "hypertable" ? "hypertable" : "partitions", reader: facts.get("reader") };
}

/** Says what could be better. */
export function warnOfFacts({ layout, reader }: StoreFacts, logger: Logger): void {
  if (layout === "partitions") {
    logger.warn(
      "the database has no TimescaleDB: there are no hypertables and no columnstore; rows are packed into pages",
    );
  }
  if (reader === undefined) {
    logger.warn("there is no role sightline_reader: nothing but the queries themselves keeps tenants apart");
  }
}

const DIRECTORY = new URL("../migrations/", import.meta.url);

/** The tables of the metric store. */
export function metricMigrations({ schema, extension, chunk }: TimescaleMetricsConfig): MigrationSet {
  return { name: "metrics", directory: DIRECTORY, settings: { schema, extension, chunk: String(chunk) } };
}
