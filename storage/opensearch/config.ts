import { count, duration, size } from "@sightline/settings/setting-types.ts";
import { z } from "zod";

const nodeUrl = z.url({ protocol: /^https?$/ }).refine((url) => new URL(url).username === "", {
  message: "leave the user out of the URL; set username and password_file",
});

const tenantGroup = z.strictObject({
  tenants: z.array(z.string().min(1)).min(1).describe("Who belongs to it."),
  primary_shards: z.number().int().min(1).max(1_024).optional().describe("In place of the general number."),
});

/** How logs and traces are kept in OpenSearch, where `storage.logs.kind` or `storage.traces.kind` says so. */
export const openSearchConfig = z.strictObject({
  nodes: z
    .array(nodeUrl)
    .min(1)
    .default(["http://127.0.0.1:9200"])
    .describe("URLs of the cluster's nodes; a request that one does not answer goes to the next."),
  username: z.string().default("").describe("For basic authentication; empty: none."),
  password_file: z.string().default("").describe("File with the password of that user."),
  ca_file: z
    .string()
    .default("")
    .describe("PEM file with the authority of the nodes' certificates; empty: the system's."),
  prefix: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,60}$/, "use lower-case letters, digits and _, a letter first")
    .default("sightline")
    .describe("Names of all data streams, indexes and templates begin with it."),
  request_timeout: duration("30s").describe("A request that takes longer has failed, and may be tried again."),
  restart_wait: duration("30s").describe(
    "Queries wait so long for a cluster that went away, or for shards that are absent, as while its only node restarts, before they fail; in a longer outage only its first ones. 0s: not for a cluster, and three seconds for shards.",
  ),
  max_retries: count(3, 0).describe("How often a request that no node answered is sent to another one."),
  primary_shards: count(1).describe("Of new indexes behind a data stream."),
  replicas: count(1, 0).describe("Copies of each shard; as many as there are other nodes if those are fewer."),
  tenant_groups: z
    .record(z.string().regex(/^[a-z][a-z0-9_]{0,60}$/, "use lower-case letters, digits and _"), tenantGroup)
    .default({})
    .refine((groups) => !("default" in groups), { message: "the group default has all tenants that no other has" })
    .describe(
      "Groups of tenants that get a data stream of their own: name to tenants and primary_shards. All others share one.",
    ),
  maintenance_interval: duration("1m").describe(
    "How often indexes are rolled over, those that are too old dropped, and deleted rows removed. Every process does so.",
  ),
  search_context: z
    .boolean()
    .default(false)
    .describe(
      "Gives documents the fields context (attributes under their own names) and message.keyword, for other users of the indexes to search in; Sightline does not need them. Halves the speed.",
    ),
  flush: z
    .strictObject({
      max_rows: count(20_000).describe("Rows in memory before they are sent."),
      max_bytes: size("32MiB").describe("Their estimated size."),
      max_age: duration("1s").describe("They are sent after so long, however few they are."),
      min_age: duration("100ms").describe(
        "They wait so long for others to be sent with, when none were sent for max_age: other processes find them sooner.",
      ),
      max_backlog: count(262_144).describe("When so many rows wait to be sent, senders are told to come back later."),
      max_backlog_bytes: size("512MiB").describe("The same, as estimated size in memory."),
    })
    .prefault({}),
  bulk: z
    .strictObject({
      max_rows: count(1_000).describe("Rows in one request."),
      max_bytes: size("5MiB").describe("Size of one request, about."),
      concurrency: count(2).describe("Requests under way at once."),
    })
    .prefault({}),
  rollover: z
    .strictObject({
      max_age: duration("1d").describe("An index that is written to is followed by a new one after so long,"),
      max_bytes: size("30GiB").describe("or when its primary shards are so large together."),
    })
    .prefault({}),
});
export type OpenSearchConfig = z.output<typeof openSearchConfig>;
