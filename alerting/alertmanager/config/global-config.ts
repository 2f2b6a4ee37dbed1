import { z } from "zod";
import {
  checkGlobalReceiverConfig,
  DEFAULT_GLOBAL_RECEIVER_CONFIG,
  type GlobalReceiverConfig,
  globalReceiverFields,
} from "../../notify/global-receiver-config.ts";
import { parseSettings } from "./parse-settings.ts";
import type { YamlReader, YamlValue } from "./yaml-reader.ts";

/** What receivers have when they say nothing else. */
export type GlobalConfig = {
  /** So long an alert fires about which nobody says when it ends. */
  readonly resolveTimeoutMs: number;
  /** For the integrations that know them. */
  readonly receivers: GlobalReceiverConfig;
  /** By the names of the file, defaults filled in; to be shown. */
  readonly settings: Readonly<Record<string, unknown>>;
};

const DEFAULT_RESOLVE_TIMEOUT_MS = 300_000;
const DEFAULTS: Readonly<Record<string, unknown>> = {
  resolve_timeout: "5m",
  http_config: { follow_redirects: true, enable_http2: true },
  smtp_tls_config: { insecure_skip_verify: false },
  ...Object.fromEntries(Object.entries(DEFAULT_GLOBAL_RECEIVER_CONFIG).filter(([, value]) => value !== undefined)),
};
const FIELDS = new Set(["resolve_timeout", ...Object.keys(globalReceiverFields)]);
const schema = z.object(globalReceiverFields).superRefine(checkGlobalReceiverConfig);

/** Throws `InvalidInputError` in Alertmanager's words. */
export function readGlobal(reader: YamlReader, value: YamlValue): GlobalConfig {
  const fields = reader.fields(value, "config.plain", FIELDS);
  const given: Record<string, unknown> = {};
  for (const [name, field] of fields) if (field !== undefined) given[name] = reader.plain(field);
  const receivers = parseSettings(schema, given, "config", (path) => reader.place(value, path));
  const resolveTimeoutMs = reader.durationMs(fields.get("resolve_timeout")) ?? DEFAULT_RESOLVE_TIMEOUT_MS;
  const all: Record<string, unknown> = { ...DEFAULTS, ...given };
  // In the order in which Alertmanager shows them.
  const shown = [...FIELDS].filter((name) => all[name] !== undefined).map((name) => [name, all[name]] as const);
  return { resolveTimeoutMs, receivers, settings: Object.fromEntries(shown) };
}
