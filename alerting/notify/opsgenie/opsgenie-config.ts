import { z } from "zod";
import { httpConfig } from "../http/http-config.ts";
import {
  atMostOne,
  flag,
  listOf,
  optionalSecret,
  optionalText,
  optionalUrl,
  templateProblem,
  text,
  texts,
} from "../receiver-values.ts";

const TYPES = "^(team|teams|user|escalation|schedule)$";

const responder = z
  .strictObject({ id: text(), name: text(), username: text(), type: text() })
  .superRefine((given, context) => {
    const shown = `{${given.id} ${given.name} ${given.username} ${given.type}}`;
    const refuse = (message: string) =>
      context.addIssue({ code: "custom", message: `opsGenieConfig responder ${shown} ${message}` });
    if (given.id + given.name + given.username === "")
      refuse("has to have at least one of id, username or name specified");
    else if (templateProblem(given.type))
      refuse(`type contains invalid template syntax: ${templateProblem(given.type)}`);
    else if (!given.type.includes("{{") && !new RegExp(TYPES).test(given.type.toLowerCase()))
      refuse(`type does not match valid options ${TYPES}`);
  });

/** An entry of `opsgenie_configs`. */
export const opsgenieConfig = z
  .strictObject({
    send_resolved: flag(true),
    http_config: httpConfig.optional(),
    api_key: optionalSecret,
    api_key_file: optionalText,
    api_url: optionalUrl,
    message: text('{{ template "opsgenie.default.message" . }}'),
    description: text('{{ template "opsgenie.default.description" . }}'),
    source: text('{{ template "opsgenie.default.source" . }}'),
    details: texts,
    entity: text(),
    responders: listOf(responder),
    actions: text(),
    tags: text(),
    note: text(),
    priority: text(),
    update_alerts: flag(),
  })
  .superRefine((config, context) => atMostOne(context, config, "api_key", "api_key_file"));

export type OpsgenieConfig = z.output<typeof opsgenieConfig>;
