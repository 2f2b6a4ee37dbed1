import { InvalidInputError } from "@sightline/model/errors.ts";
import { z } from "zod";
import { sortedObject } from "../../templates/go-json.ts";
import { checkAnswer } from "../answer-check.ts";
import type { Attempt } from "../attempt.ts";
import { httpConfig } from "../http/http-config.ts";
import type { HttpSender } from "../http/http-sender.ts";
import { httpIntegration, jsonRequest } from "../http-integration.ts";
import type { NotifyResult } from "../notifier.ts";
import { withSlash } from "../opsgenie/opsgenie.ts";
import { atMostOne, flag, optionalSecret, optionalText, optionalUrl, text, texts } from "../receiver-values.ts";

const RESERVED =
  "routing_key message_type state_message entity_display_name monitoring_tool entity_id entity_state".split(" ");

/** An entry of `victorops_configs`. */
const victoropsConfig = z
  .strictObject({
    send_resolved: flag(true),
    http_config: httpConfig.optional(),
    api_key: optionalSecret,
    api_key_file: optionalText,
    api_url: optionalUrl,
    routing_key: text(),
    message_type: text("CRITICAL"),
    state_message: text('{{ template "victorops.default.state_message" . }}'),
    entity_display_name: text('{{ template "victorops.default.entity_display_name" . }}'),
    monitoring_tool: text('{{ template "victorops.default.monitoring_tool" . }}'),
    custom_fields: texts,
  })
  .superRefine((config, context) => {
    const refuse = (message: string) => context.addIssue({ code: "custom", message });
    if (config.routing_key === "") refuse("missing Routing key in VictorOps config");
    atMostOne(context, config, "api_key", "api_key_file");
    const taken = RESERVED.find((name) => Object.hasOwn(config.custom_fields, name));
    if (taken)
      refuse(
        `victorOps config contains custom field ${taken} which cannot be used as it conflicts with the fixed/static fields`,
      );
  });
type VictoropsConfig = z.output<typeof victoropsConfig>;

const MAX_MESSAGE_RUNES = 20_480;

/** Tells VictorOps (Splunk On-Call) by its REST endpoint. */
export const victorops = httpIntegration<VictoropsConfig>({
  kind: "victorops",
  schema: victoropsConfig,
  withGlobals: (config, global) => {
    const url = config.api_url ?? global.victorops_api_url;
    if (!url) throw new InvalidInputError("no global VictorOps URL set");
    const api_key = config.api_key ?? global.victorops_api_key;
    const api_key_file = config.api_key_file ?? global.victorops_api_key_file;
    if (!api_key && !api_key_file) throw new InvalidInputError("no global VictorOps API Key set");
    return { ...config, api_url: withSlash(url), api_key, api_key_file };
  },
  sending: (config) => (attempt, sender) => send(config, attempt, sender),
});

async function send(config: VictoropsConfig, attempt: Attempt, sender: HttpSender): Promise<NotifyResult> {
  const key = await attempt.secrets.reveal(config.api_key, config.api_key_file);
  const url = new URL(config.api_url as string);
  url.pathname += `${key}/${attempt.text(config.routing_key)}`;
  const type = attempt.text(config.message_type);
  const message: Record<string, string> = {
    message_type: attempt.isResolved ? "RECOVERY" : ["INFO", "WARNING", "CRITICAL"].includes(type) ? type : "CRITICAL",
    entity_id: attempt.groupHash,
    entity_display_name: attempt.text(config.entity_display_name),
    state_message: attempt.cut("state_message", attempt.text(config.state_message), MAX_MESSAGE_RUNES),
    monitoring_tool: attempt.text(config.monitoring_tool),
  };
  for (const [name, template] of Object.entries(config.custom_fields)) message[name] = attempt.text(template);
  const answer = await sender.send(jsonRequest(url.href, sortedObject(message)), attempt.signal);
  return checkAnswer(answer, { waitsWhenAsked: true });
}
