import { authConfig } from "@sightline/auth/config.ts";
import { z } from "zod";

const hostPort = z
  .string()
  .regex(
    /^(\[[0-9a-fA-F:]+\]|[^:\s]*):\d{1,5}$/,
    "write HOST:PORT, for example 127.0.0.1:4319 (port 0 picks a free one)",
  );

const level = z.enum(["debug", "info", "warn", "error"]);

/** What belongs to the process as a whole; the packages own the other sections. */
export const serverConfig = {
  target: z
    .string()
    .regex(
      /^(all|collector|query|alerting)(,(all|collector|query|alerting))*$/,
      "write all, or some of collector, query and alerting with commas between them",
    )
    .default("all")
    .describe(
      "Which parts this process runs. all: one process that does everything. collector: receives and writes. query: answers " +
        "queries. alerting: evaluates rules and notifies. Several with commas between them. Processes that do not have both " +
        "collector and query need databases for all that is kept.",
    ),
  data_dir: z
    .string()
    .min(1)
    .default("./data")
    .describe("Directory of everything that is kept. One process at a time may use it."),
  memory_limit: z
    .preprocess((value) => (typeof value === "number" ? String(value) : value), z.string())
    .refine((text) => /^\d+(\.\d+)?\s*(%|[KMGT]i?B|B)?$/.test(text), {
      message: "write a share of the machine's memory such as 60%, or a size such as 2GiB",
    })
    .default("60%")
    .describe(
      "What the process may take: a share of the machine's memory (of the control group's, if that has less) or a size. " +
        "Near it data is written early, caches are let go, and at last requests are refused until there is room.",
    ),
  listen: hostPort
    .default("127.0.0.1:4319")
    .describe("Where all HTTP APIs are served: every ingest path, every query API, /metrics."),
  otlp_grpc: hostPort.default("127.0.0.1:4317").describe("Where OTLP over gRPC is received."),
  otlp_http: hostPort
    .default("127.0.0.1:4318")
    .describe("Where OTLP over HTTP is received (the paths also exist on `listen`)."),
  auth: authConfig.prefault({}),
  sealing_key_file: z
    .string()
    .default("")
    .describe(
      "File with keys for personal data that processors encrypt: a line ID:KEY each, KEY being 32 bytes in base64. The " +
        "first one encrypts, all decrypt. A key with the scope reveal reads them at /api/v1/reveal.",
    ),
  tls: z
    .strictObject({
      cert_file: z
        .string()
        .default("")
        .describe(
          "PEM file with the certificate, then those between it and its CA. Set, every address takes TLS only " +
            "(that of Alertmanager's replicas: alerting.alertmanager.cluster.tls). The three files are read again when they " +
            "change; connections that are open stay.",
        ),
      key_file: z.string().default("").describe("PEM file with the certificate's private key, without a password."),
      client_ca_file: z
        .string()
        .default("")
        .describe("PEM file with CAs. Set, a client must show a certificate that one of them signed (mutual TLS)."),
      min_version: z.enum(["TLSv1.2", "TLSv1.3"]).default("TLSv1.2").describe("Older clients are refused."),
    })
    .refine((tls) => (tls.cert_file === "") === (tls.key_file === ""), {
      message: "set cert_file and key_file together",
    })
    .refine((tls) => tls.client_ca_file === "" || tls.cert_file !== "", {
      message: "client_ca_file needs cert_file and key_file",
    })
    .prefault({}),
  log: z
    .strictObject({
      level: level.default("info").describe("Messages below this level are not written."),
      levels: z
        .record(z.string(), level)
        .default({})
        .describe("Level per package, for example { collector: debug, storage: warn }."),
      format: z
        .enum(["auto", "json", "text"])
        .default("auto")
        .describe("auto: text on a terminal, JSON otherwise. Written to standard error."),
    })
    .prefault({}),
  self_telemetry: z
    .strictObject({
      enabled: z.boolean().default(true).describe("Keep the process' own metrics, logs and traces as tenant `system`."),
      interval_ms: z
        .number()
        .int()
        .min(1_000)
        .default(15_000)
        .describe("How often its own metrics are written, in milliseconds."),
      quick_spans_per_second: z
        .number()
        .min(0)
        .default(10)
        .describe(
          "Of its own requests those that take 100 ms or longer, fail, or carry on a trace that the caller records have a span " +
            "each; of the others so many a second, after a burst of a hundred.",
        ),
    })
    .prefault({}),
} as const;
