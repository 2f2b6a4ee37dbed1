import { InvalidInputError } from "@sightline/model/errors.ts";
import { z } from "zod";
import { checkAnswer, failed, jsonOf } from "../answer-check.ts";
import type { Attempt } from "../attempt.ts";
import { httpConfig } from "../http/http-config.ts";
import type { HttpSender } from "../http/http-sender.ts";
import { httpIntegration, jsonRequest } from "../http-integration.ts";
import type { NotifyResult } from "../notifier.ts";
import {
  atMostOne,
  flag,
  listOf,
  optionalFlag,
  optionalSecret,
  optionalText,
  optionalUrl,
  text,
} from "../receiver-values.ts";

const field = z.strictObject({ short: optionalFlag, title: text(), value: text() });
/** As Alertmanager reads them: its keys have no underscores. Only buttons are sent. */
const action = z.strictObject({
  type: text(),
  text: text(),
  url: text(),
  imageurl: text(),
  iswebview: flag(),
  webviewheightratio: text(),
  msg: text(),
  msginchatwindow: flag(),
  msgprocessingtype: text(),
});
const named = (name: string) => text(`{{ template "rocketchat.default.${name}" . }}`);

/** An entry of `rocketchat_configs`. */
const rocketchatConfig = z
  .strictObject({
    send_resolved: flag(false),
    http_config: httpConfig.optional(),
    api_url: optionalUrl,
    token_id: optionalSecret,
    token_id_file: optionalText,
    token: optionalSecret,
    token_file: optionalText,
    channel: text(),
    color: text('{{ if eq .Status "firing" }}red{{ else }}green{{ end }}'),
    title: named("title"),
    title_link: named("titlelink"),
    text: named("text"),
    fields: listOf(field),
    short_fields: flag(),
    emoji: named("emoji"),
    icon_url: named("iconurl"),
    image_url: text(),
    thumb_url: text(),
    link_names: flag(),
    actions: listOf(action),
  })
  .superRefine((config, context) => {
    atMostOne(context, config, "token", "token_file");
    atMostOne(context, config, "token_id", "token_id_file");
  });
type RocketchatConfig = z.output<typeof rocketchatConfig>;

const MAX_TITLE_RUNES = 1024;

/** Posts by the API of Rocket.Chat. */
export const rocketchat = httpIntegration<RocketchatConfig>({
  kind: "rocketchat",
  schema: rocketchatConfig,
  withGlobals: (config, global) => {
    const merged = {
      ...config,
      api_url: config.api_url ?? global.rocketchat_api_url,
      token_id: config.token_id ?? global.rocketchat_token_id,
      token_id_file: config.token_id_file ?? global.rocketchat_token_id_file,
      token: config.token ?? global.rocketchat_token,
      token_file: config.token_file ?? global.rocketchat_token_file,
    };
    if (!merged.token_id && !merged.token_id_file)
      throw new InvalidInputError("no global Rocketchat TokenID set either inline or in a file");
    if (!merged.token && !merged.token_file)
      throw new InvalidInputError("no global Rocketchat Token set either inline or in a file");
    return merged;
  },
  sending: (config) => (attempt, sender) => send(config, attempt, sender),
});

async function send(config: RocketchatConfig, attempt: Attempt, sender: HttpSender): Promise<NotifyResult> {
  const channel = attempt.textOrNone(config.channel);
  const message = {
    channel,
    emoji: attempt.textOrNone(config.emoji),
    avatar: attempt.textOrNone(config.icon_url),
    attachments: [attachment(config, attempt)],
  };
  // A file goes before what is written beside it, as in Alertmanager.
  const reveal = (secret: RocketchatConfig["token"], file: string | undefined) =>
    attempt.secrets.reveal(file ? undefined : secret, file);
  const request = jsonRequest(apiUrl(config.api_url as string), message);
  const headers = {
    ...request.headers,
    "x-auth-token": await reveal(config.token, config.token_file),
    "x-user-id": await reveal(config.token_id, config.token_id_file),
  };
  const answer = await sender.send({ ...request, headers }, attempt.signal);
  const told = (result: NotifyResult) =>
    result.ok ? result : { ...result, detail: `channel ${JSON.stringify(channel ?? "")}: ${result.detail}` };
  const checked = checkAnswer(answer, { waitsWhenAsked: true });
  if (!checked.ok) return told(checked);
  const said = jsonOf(answer);
  if (!said)
    return told(failed(`could not unmarshal JSON response ${JSON.stringify(answer.body.slice(0, 500))}`, true));
  return said.success === true ? checked : told(failed(`error response from Rocketchat: ${String(said.error ?? "")}`));
}

function apiUrl(base: string): string {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/$/, "")}/api/v1/chat.postMessage`;
  return url.href;
}

function attachment(config: RocketchatConfig, attempt: Attempt) {
  return {
    title: attempt.cut("title", attempt.text(config.title), MAX_TITLE_RUNES) || undefined,
    title_link: attempt.textOrNone(config.title_link),
    text: attempt.textOrNone(config.text),
    image_url: attempt.textOrNone(config.image_url),
    thumb_url: attempt.textOrNone(config.thumb_url),
    color: attempt.textOrNone(config.color),
    fields:
      config.fields.length > 0
        ? config.fields.map(({ title, value, short }) => ({
            short: short ?? config.short_fields,
            title: attempt.textOrNone(title),
            value: attempt.textOrNone(value),
          }))
        : undefined,
    actions:
      config.actions.length > 0
        ? config.actions.map((given) => ({
            type: "button",
            text: attempt.textOrNone(given.text),
            url: attempt.textOrNone(given.url),
            is_webview: false,
            msg: attempt.textOrNone(given.msg),
            msg_in_chat_window: false,
          }))
        : undefined,
  };
}
