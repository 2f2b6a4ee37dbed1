import { z } from "zod";
import { httpConfig } from "../http/http-config.ts";
import {
  anything,
  atMostOne,
  flag,
  listOf,
  optionalSecret,
  optionalText,
  optionalUrl,
  text,
  timeoutMs,
} from "../receiver-values.ts";

const DEFAULT_DETAILS: Readonly<Record<string, unknown>> = {
  firing: "{{ .Alerts.Firing | toJson }}",
  resolved: "{{ .Alerts.Resolved | toJson }}",
  num_firing: "{{ .Alerts.Firing | len }}",
  num_resolved: "{{ .Alerts.Resolved | len }}",
};

/** An entry of `pagerduty_configs`. */
export const pagerdutyConfig = z
  .strictObject({
    send_resolved: flag(true),
    http_config: httpConfig.optional(),
    service_key: optionalSecret,
    service_key_file: optionalText,
    routing_key: optionalSecret,
    routing_key_file: optionalText,
    url: optionalUrl,
    client: text('{{ template "pagerduty.default.client" . }}'),
    client_url: text('{{ template "pagerduty.default.clientURL" . }}'),
    description: text('{{ template "pagerduty.default.description" .}}'),
    details: z.record(z.string(), anything).nullish(),
    images: listOf(z.strictObject({ src: text(), alt: text(), href: text() })),
    links: listOf(z.strictObject({ href: text(), text: text() })),
    source: text(),
    severity: text(),
    class: text(),
    component: text(),
    group: text(),
    timeout: timeoutMs,
  })
  .superRefine((config, context) => {
    if (!config.routing_key && !config.service_key && !config.routing_key_file && !config.service_key_file)
      context.addIssue({ code: "custom", message: "missing service or routing key in PagerDuty config" });
    atMostOne(context, config, "routing_key", "routing_key_file");
    atMostOne(context, config, "service_key", "service_key_file");
  })
  .transform((config) => ({
    ...config,
    source: config.source || config.client,
    severity: config.severity || "error",
    details: { ...DEFAULT_DETAILS, ...config.details },
  }));

export type PagerdutyConfig = z.output<typeof pagerdutyConfig>;
