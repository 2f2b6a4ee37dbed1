import { z } from "zod";
import { httpConfig } from "../http/http-config.ts";
import {
  anything,
  atMostOne,
  count,
  flag,
  optionalSecret,
  optionalText,
  templateProblem,
  timeoutMs,
  urlProblem,
} from "../receiver-values.ts";

/** An entry of `webhook_configs`. */
export const webhookConfig = z
  .strictObject({
    send_resolved: flag(true),
    http_config: httpConfig.optional(),
    /** A template, too. */
    url: optionalSecret,
    url_file: optionalText,
    max_alerts: count,
    timeout: timeoutMs,
    payload: anything,
  })
  .superRefine((config, context) => {
    if (!config.url && !config.url_file)
      context.addIssue({ code: "custom", message: "one of url or url_file must be configured" });
    atMostOne(context, config, "url", "url_file");
    const url = config.url?.reveal() ?? "";
    const syntax = templateProblem(url);
    if (syntax) context.addIssue({ code: "custom", message: `invalid template syntax: ${syntax}` });
    const problem = url === "" || url === "<secret>" || url.includes("{{") ? undefined : urlProblem(url);
    if (problem) context.addIssue({ code: "custom", message: `invalid URL: ${problem}` });
  });

export type WebhookConfig = z.output<typeof webhookConfig>;
