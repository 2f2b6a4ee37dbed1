import type { Config } from "@sightline/config/schema.ts";
import type { LokiServerFacts } from "@sightline/query/loki-api/loki-api-deps.ts";
import type { ServerFacts } from "@sightline/query/prometheus-api/server-facts.ts";
import { formatDuration } from "@sightline/query/promql/format/duration.ts";
import { stringify } from "yaml";

const SECRET_KEY = /password|secret|token|credential|api_?key|private_?key|authorization/i;

/** What the status endpoints tell everybody who may ask for them: no secret of the configuration is in it. */
export function serverFacts(
  config: Config,
  startedAtMs: number,
  memoryLimitBytes: number,
): ServerFacts & Omit<LokiServerFacts, "services"> {
  const { metrics } = config.storage;
  const retention = formatDuration(metrics.kind === "timescale" ? metrics.timescale.retention : metrics.retention);
  const flags = {
    "enable-feature":
      "promql-experimental-functions,promql-duration-expr,promql-extended-range-selectors,promql-binop-fill-modifiers,promql-delayed-name-removal,search-api",
    "log.level": config.log.level,
    "memory-limit": String(memoryLimitBytes),
    "query.lookback-delta": formatDuration(config.query.lookback_ms),
    "query.max-concurrency": String(config.query.max_concurrency),
    "query.max-samples": String(config.query.max_samples),
    "query.timeout": formatDuration(config.query.timeout_ms),
    "storage.tsdb.path": config.data_dir,
    "storage.tsdb.retention.time": retention,
    "web.enable-admin-api": String(config.query.admin_api),
    "web.enable-lifecycle": "false",
    "web.enable-otlp-receiver": "true",
    "web.enable-remote-write-receiver": "true",
    "web.listen-address": config.listen,
  };
  const configYaml = () => stringify(withoutSecrets(config));
  const logRetention = formatDuration(config.storage.logs.retention);
  return { startedAtMs, retention, logRetention, logLevel: config.log.level, configYaml, flags: () => flags };
}

/** As in Prometheus, `<secret>` stands for what is kept back. */
function withoutSecrets(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) return value.map((entry) => withoutSecrets(entry, key));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutSecrets(inner, name)]));
  }
  return typeof value === "string" && value !== "" && SECRET_KEY.test(key) ? "<secret>" : value;
}
