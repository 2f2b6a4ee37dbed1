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
    .enum(["all"])
    .default("all")
    .describe("Which parts this process runs. One process that does everything: all."),
  data_dir: z
    .string()
    .min(1)
    .default("./data")
    .describe("Directory of everything that is kept. One process at a time may use it."),
  listen: hostPort
    .default("127.0.0.1:4319")
    .describe("Where all HTTP APIs are served: every ingest path, every query API, /metrics."),
  otlp_grpc: hostPort.default("127.0.0.1:4317").describe("Where OTLP over gRPC is received."),
  otlp_http: hostPort
    .default("127.0.0.1:4318")
    .describe("Where OTLP over HTTP is received (the paths also exist on `listen`)."),
  auth: authConfig.prefault({}),
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
    })
    .prefault({}),
} as const;
