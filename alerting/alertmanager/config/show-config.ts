import { stringify } from "yaml";
import type { GlobalConfig } from "./global-config.ts";

const HIDDEN = "<secret>";
/** Keys whose value nobody may see. Those that end in `_file` name a file, and are shown. */
const SECRET_KEY =
  /(?:^|_)(?:password|secret|token|token_id|api_key|routing_key|service_key|user_key|secret_key|access_key|credentials|bearer_token|webhook_url|client_secret|client_certificate_key|integration_key)$|^key$/;
/** In some places the address is the secret. */
const SECRET_URLS: ReadonlySet<string> = new Set([
  "slack_configs.api_url",
  "webhook_configs.url",
  "global.slack_api_url",
  "incidentio_configs.url",
]);

/** The file as YAML with the defaults of `global`; secrets as `<secret>`, which Alertmanager's own tools read again. */
export function showConfig(file: unknown, global: GlobalConfig): string {
  const config = file as Record<string, unknown>;
  const shown = { ...config, global: global.settings, templates: config.templates ?? [] };
  return stringify(hide(shown, ""), { lineWidth: 0, aliasDuplicateObjects: false });
}

function hide(value: unknown, section: string): unknown {
  if (Array.isArray(value)) return value.map((item) => hide(item, section));
  if (typeof value !== "object" || value === null) {
    return typeof value === "string" ? withoutUserInfo(value) : value;
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [
      key,
      isSecret(section, key, field) ? HIDDEN : hideField(key, field, section),
    ]),
  );
}

function hideField(key: string, field: unknown, section: string): unknown {
  // Headers of http_config that are said to be secret.
  if (key === "secrets" && Array.isArray(field)) return field.map(() => HIDDEN);
  return hide(field, key.endsWith("_configs") || key === "global" ? key : section);
}

function isSecret(section: string, key: string, field: unknown): boolean {
  if (field === null || field === "" || typeof field === "object") return false;
  return SECRET_KEY.test(key) || SECRET_URLS.has(`${section}.${key}`);
}

function withoutUserInfo(text: string): string {
  return text.replace(/^(https?:\/\/[^/?#@:]*):[^/?#@]*@/i, `$1:${HIDDEN}@`);
}
