import { TRANSLATION_STRATEGIES } from "@sightline/proto/otlp/metrics/translation.ts";
import { count, positive } from "@sightline/settings/setting-types.ts";
import { z } from "zod";
import { tenantConfig } from "./limits/tenant-config.ts";
import { size } from "./setting-types.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

const walConfig = z
  .strictObject({
    max_bytes: size()
      .default(4 * GIB)
      .describe(
        "Bytes the write-ahead log may hold for stores that are behind; beyond that requests are answered with 503",
      ),
    segment_bytes: size(64 * KIB, GIB)
      .default(64 * MIB)
      .describe("Size of one segment file of the write-ahead log; space is given back a segment at a time"),
    max_group_bytes: size()
      .default(8 * MIB)
      .describe(
        "Most bytes that are written and synced together; larger groups wait longer, smaller ones sync more often",
      ),
    truncate_interval_ms: positive
      .default(5_000)
      .describe("How often segments that every store has made durable are removed from the log"),
    preallocate: z
      .boolean()
      .default(true)
      .describe(
        "Write segments full of zeros ahead of use: syncs several times faster, at the price of one segment of disk",
      ),
  })
  .refine((wal) => wal.max_bytes >= 2 * wal.segment_bytes, {
    message: "collector.wal.max_bytes must be at least twice collector.wal.segment_bytes",
    path: ["max_bytes"],
  })
  .prefault({});

const limitsConfig = z
  .strictObject({
    max_request_bytes: size()
      .default(32 * MIB)
      .describe("Largest request body as it comes, still compressed; larger: 413"),
    max_decompressed_bytes: size()
      .default(128 * MIB)
      .describe("Largest request body after decompression; larger: 413"),
    max_depth: z
      .number()
      .int()
      .min(4)
      .max(1_000)
      .default(64)
      .describe("Deepest nesting of messages in each other that a request may have, attribute values included"),
    max_series_interned: positive
      .default(4_000_000)
      .describe(
        "Series, over all tenants, whose labels are remembered so as not to decode them again; about 700 bytes each",
      ),
    max_in_flight_bytes: size()
      .default(256 * MIB)
      .describe(
        "Bytes of request bodies held in memory before they are answered; beyond that requests are refused with 429",
      ),
    max_request_objects: count(1_000_000, 1_000).describe(
      "Log records or spans of one request, and besides these their events, links, elements of arrays and attributes of resources; more: 413",
    ),
    max_wait_ms: count(2_000, 10).describe(
      "While requests wait longer than this to be decoded, further ones are refused with 429",
    ),
  })
  .refine((limits) => limits.max_in_flight_bytes >= limits.max_request_bytes, {
    message: "collector.limits.max_in_flight_bytes must be at least collector.limits.max_request_bytes",
    path: ["max_in_flight_bytes"],
  })
  .prefault({});

const corsConfig = z
  .strictObject({
    allowed_origins: z
      .array(z.string())
      .default([])
      .describe(
        'Origins of web pages that may send OTLP/HTTP from a browser, such as "https://shop.example"; "*": all; empty: none',
      ),
    allowed_headers: z
      .array(z.string())
      .default([])
      .describe("Request headers such pages may set besides content-type; empty: whatever they ask for"),
    max_age_seconds: z
      .number()
      .int()
      .min(0)
      .max(86_400)
      .default(7_200)
      .describe("How long a browser may remember the answer to its preflight request"),
  })
  .prefault({});

const otlpConfig = z
  .strictObject({
    cors: corsConfig.describe("Cross-origin requests from browsers to OTLP/HTTP"),
    translation_strategy: z
      .enum(TRANSLATION_STRATEGIES)
      .default("UnderscoreEscapingWithSuffixes")
      .describe("How OpenTelemetry metric names become Prometheus names, as Prometheus' otlp.translation_strategy"),
    promote_resource_attributes: z
      .array(z.string())
      .default([])
      .describe("Resource attributes that become labels of every series, besides job and instance"),
    promote_all_resource_attributes: z
      .boolean()
      .default(false)
      .describe("Whether all resource attributes but ignore_resource_attributes become labels of every series"),
    ignore_resource_attributes: z
      .array(z.string())
      .default([])
      .describe("Resource attributes that promote_all_resource_attributes leaves out"),
    keep_identifying_resource_attributes: z
      .boolean()
      .default(false)
      .describe(
        "Whether target_info has service.name, service.namespace and service.instance.id beside job and instance",
      ),
    promote_scope_metadata: z
      .boolean()
      .default(true)
      .describe("Whether the instrumentation scope becomes otel_scope_* labels of every series"),
  })
  .prefault({});

const remoteWriteConfig = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe("Whether Prometheus remote write is taken at /api/v1/write and /api/v1/push"),
  })
  .prefault({});

const deadLettersConfig = z
  .strictObject({
    max_bytes: size()
      .default(GIB)
      .describe(
        "Bytes of requests that a store refused for good which are kept; beyond that their stores stop taking new ones",
      ),
  })
  .prefault({});

const storesConfig = z
  .strictObject({
    max_concurrent_appends: positive
      .default(1)
      .describe("Requests given to one store at a time; more than one helps only a store across a network"),
    max_deferred_bytes: size()
      .default(32 * MIB)
      .describe(
        "Requests that a store which is down or slow may be behind, in bytes as they came; further ones of its signal are refused with 429. Up to it they are answered once they are in the log",
      ),
    max_retry_delay_ms: positive
      .default(30_000)
      .describe("Longest wait between two attempts to reach a store that is down"),
  })
  .prefault({});

/** Section `collector` of the configuration. */
export const collectorConfig = z
  .strictObject({
    wal: walConfig.describe("The write-ahead log: a request is answered with success once it is here"),
    limits: limitsConfig.describe("What one request, and all of them together, may take"),
    otlp: otlpConfig.describe("OpenTelemetry protocol over gRPC and HTTP"),
    remote_write: remoteWriteConfig.describe("Prometheus remote write 1.0 and 2.0"),
    dead_letters: deadLettersConfig.describe("Requests that were accepted but that a store refused for good"),
    stores: storesConfig.describe("How requests are handed from the log to the stores"),
    tenants: tenantConfig.describe("Limits and processors of every tenant; overrides_file says where one has others"),
    overrides_file: z
      .string()
      .default("")
      .describe(
        "YAML file: tenant to the keys of collector.tenants that it has of its own. Read again when it changes; a wrong one is not used",
      ),
    overrides_reload_interval_ms: positive.default(10_000).describe("How often overrides_file is looked at"),
  })
  .prefault({});

export type CollectorConfig = z.infer<typeof collectorConfig>;
export type WalConfig = CollectorConfig["wal"];
export type LimitsConfig = CollectorConfig["limits"];
export type CorsConfig = CollectorConfig["otlp"]["cors"];
export type DeadLettersConfig = CollectorConfig["dead_letters"];
export type StoresConfig = CollectorConfig["stores"];
