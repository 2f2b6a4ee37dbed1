import { clientTls } from "@sightline/settings/client-tls.ts";
import { duration, size } from "@sightline/settings/setting-types.ts";
import { z } from "zod";

const hostPort = z.string().regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, "write HOST:PORT");

/** The section `redis`: what several processes share that may be lost at any time. Durations come out in ms. */
export const redisConfig = z
  .strictObject({
    kind: z
      .enum(["off", "single", "sentinel", "cluster"])
      .default("off")
      .describe(
        "off: no Redis. single: one server. sentinel: nodes are sentinels that know the server. cluster: nodes are some of a cluster.",
      ),
    nodes: z
      .array(hostPort)
      .min(1)
      .default(["127.0.0.1:6379"])
      .describe("As HOST:PORT; single: the one, otherwise as many as are known."),
    master_name: z.string().default("mymaster").describe("What sentinels call the server."),
    username: z.string().default("").describe("Of an access list; empty: the default user."),
    password_file: z.string().default("").describe("File with the password alone; empty: none."),
    sentinel_password_file: z.string().default("").describe("The same, of the sentinels."),
    database: z.number().int().min(0).default(0).describe("Number of the database; a cluster has only 0."),
    ...clientTls,
    prefix: z
      .string()
      .regex(/^[a-z][a-z0-9_-]{0,60}$/, "use lower-case letters, digits, _ and -, a letter first")
      .default("sightline")
      .describe("All keys and channels begin with it."),
    connect_timeout: duration("5s").describe("Waiting for a connection."),
    command_timeout: duration("250ms").describe(
      "Who waits for Redis goes on without it after so long; for a second nobody asks again then.",
    ),
    results_cache: z
      .boolean()
      .default(true)
      .describe("Keep results of range queries there, too, for all queriers (query.results_cache)."),
    results_ttl: duration("6h").describe("Results that nobody has asked for again are forgotten after so long."),
    max_result_bytes: size("4MiB").describe("Larger results stay in the memory of the process that made them."),
    rate_limits: z
      .boolean()
      .default(true)
      .describe("Count rates of tenants over all collectors (collector.tenants.limits)."),
    tenant_limits: z
      .boolean()
      .default(true)
      .describe(
        "Bound active series and storms of a tenant, and elect one of two Prometheus servers, over all collectors (collector.tenants).",
      ),
    live_tail: z.boolean().default(true).describe("Hand log records from collectors to queriers whose clients tail."),
  })
  .refine(({ kind, nodes }) => kind !== "single" || nodes.length === 1, {
    message: "kind single has one node; set kind to sentinel or cluster for more",
    path: ["nodes"],
  });
export type RedisConfig = z.output<typeof redisConfig>;
