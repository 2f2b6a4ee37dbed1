import { z } from "zod";
import { checkAnswer, jsonOf } from "../answer-check.ts";
import type { Attempt } from "../attempt.ts";
import type { HttpAnswer } from "../http/exchange.ts";
import { httpConfig } from "../http/http-config.ts";
import type { HttpSender } from "../http/http-sender.ts";
import { httpIntegration } from "../http-integration.ts";
import type { NotifyResult } from "../notifier.ts";
import { atMostOne, count, flag, optionalSecret, optionalText, optionalUrl, timeoutMs } from "../receiver-values.ts";
import { groupJson } from "../webhook/webhook.ts";

/** An entry of `incidentio_configs`. */
const incidentioConfig = z
  .strictObject({
    send_resolved: flag(true),
    http_config: httpConfig.optional(),
    url: optionalUrl,
    url_file: optionalText,
    alert_source_token: optionalSecret,
    alert_source_token_file: optionalText,
    max_alerts: count,
    timeout: timeoutMs,
  })
  .superRefine((config, context) => {
    const refuse = (message: string) => context.addIssue({ code: "custom", message });
    if (!config.url && !config.url_file) refuse("one of url or url_file must be configured");
    atMostOne(context, config, "url", "url_file");
    atMostOne(context, config, "alert_source_token", "alert_source_token_file");
    const hasToken = config.alert_source_token ?? config.alert_source_token_file;
    if (config.http_config?.authorization && hasToken)
      refuse("cannot specify alert_source_token or alert_source_token_file when using http_config.authorization");
    if (config.http_config && !config.http_config.authorization && !hasToken)
      refuse(
        "at least one of alert_source_token, alert_source_token_file or http_config.authorization must be configured",
      );
  });
type IncidentioConfig = z.output<typeof incidentioConfig>;

const MAX_BODY_BYTES = 512 * 1024;

/** Posts the group to an alert source of incident.io. */
export const incidentio = httpIntegration<IncidentioConfig>({
  kind: "incidentio",
  schema: incidentioConfig,
  sending: (config) => (attempt, sender) => send(config, attempt, sender),
});

async function send(config: IncidentioConfig, attempt: Attempt, sender: HttpSender): Promise<NotifyResult> {
  const kept = config.max_alerts === 0 ? attempt : attempt.withAlerts(config.max_alerts);
  const left = attempt.notification.alerts.length - kept.notification.alerts.length;
  let body = await groupJson(kept, "1", left);
  if (Buffer.byteLength(body) + 1 > MAX_BODY_BYTES) {
    // incident.io makes one alert of the group: the first one says what it is about.
    attempt.countCut("alerts");
    body = await groupJson(kept, "1", left, 1);
  }
  const url = config.url ?? (await attempt.secrets.reveal(undefined, config.url_file));
  const token = await attempt.secrets.reveal(config.alert_source_token, config.alert_source_token_file);
  const headers = {
    "content-type": "application/json",
    ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
  };
  const answer = await sender.send({ url, headers, body: `${body}\n` }, attempt.signal, config.timeout);
  return checkAnswer(answer, { retryStatuses: [429], detail: errorOf });
}

function errorOf(answer: HttpAnswer): string {
  const said = jsonOf(answer);
  if (!said) return "";
  const errors = Array.isArray(said.errors) ? said.errors.map(String).join(", ") : "";
  return [said.message, said.error, errors].filter((part) => typeof part === "string" && part !== "").join(": ");
}
