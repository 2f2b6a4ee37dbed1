import { InvalidInputError } from "@sightline/model/errors.ts";
import { z } from "zod";
import { checkAnswer } from "../answer-check.ts";
import type { Attempt } from "../attempt.ts";
import { httpConfig } from "../http/http-config.ts";
import type { HttpSender } from "../http/http-sender.ts";
import { httpIntegration, jsonRequest } from "../http-integration.ts";
import type { NotifyResult } from "../notifier.ts";
import { flag, optionalUrl, text } from "../receiver-values.ts";

/** An entry of `webex_configs`. */
const webexConfig = z
  .strictObject({
    send_resolved: flag(true),
    http_config: httpConfig.optional(),
    api_url: optionalUrl,
    message: text('{{ template "webex.default.message" . }}'),
    room_id: text(),
  })
  .superRefine((config, context) => {
    if (config.room_id === "") context.addIssue({ code: "custom", message: "missing room_id on webex_config" });
    else if (!config.http_config?.authorization)
      context.addIssue({ code: "custom", message: "missing webex_configs.http_config.authorization" });
  });
type WebexConfig = z.output<typeof webexConfig>;

const MAX_MESSAGE_BYTES = 7439;

/** Posts to a room of Webex. */
export const webex = httpIntegration<WebexConfig>({
  kind: "webex",
  schema: webexConfig,
  withGlobals: (config, global) => {
    const url = config.api_url ?? global.webex_api_url;
    if (!url) throw new InvalidInputError("no global Webex URL set");
    return { ...config, api_url: url };
  },
  sending: (config) => (attempt, sender) => send(config, attempt, sender),
});

async function send(config: WebexConfig, attempt: Attempt, sender: HttpSender): Promise<NotifyResult> {
  const message = {
    markdown: attempt.cutBytes("message", attempt.text(config.message), MAX_MESSAGE_BYTES),
    roomId: attempt.textOrNone(config.room_id),
  };
  const answer = await sender.send(jsonRequest(config.api_url as string, message), attempt.signal);
  return checkAnswer(answer, { waitsWhenAsked: true });
}
