import { InvalidInputError } from "@sightline/model/errors.ts";
import { checkAnswer, failed, jsonOf } from "../answer-check.ts";
import type { Attempt } from "../attempt.ts";
import type { GlobalReceiverConfig } from "../global-receiver-config.ts";
import type { HttpAnswer } from "../http/exchange.ts";
import { DEFAULT_HTTP_CONFIG } from "../http/http-config.ts";
import type { HttpSender } from "../http/http-sender.ts";
import { httpIntegration, jsonRequest } from "../http-integration.ts";
import type { NotificationMemory, NotifyResult } from "../notifier.ts";
import { Secret } from "../secret.ts";
import { type SlackConfig, slackConfig } from "./slack-config.ts";

const MAX_TITLE_RUNES = 1024;
/** Names in the group's memory, as Alertmanager has them in its notification log. */
const MEMORY = { time: "threadTs", channel: "channelId" } as const;

/**
 * Posts to an incoming webhook of Slack (`api_url`), or by its API with a token (`app_token`), where a message can be
 * updated later.
 */
export const slack = httpIntegration<SlackConfig>({
  kind: "slack",
  schema: slackConfig,
  withGlobals,
  sending: (config) => (attempt, sender) => send(config, attempt.notification.memory, attempt, sender),
});

function withGlobals(config: SlackConfig, global: GlobalReceiverConfig): SlackConfig {
  let { api_url: apiUrl, api_url_file: apiUrlFile, app_token: token, app_token_file: tokenFile } = config;
  const appUrl = config.app_url ?? global.slack_app_url;
  // http_config is that of all if the entry has none: only its own says who is meant.
  const hasOwnAuthorization = config.http_config !== global.http_config && config.http_config?.authorization;
  if (!token && !tokenFile && !hasOwnAuthorization && !apiUrl)
    [token, tokenFile] = [global.slack_app_token, global.slack_app_token_file];
  if (!apiUrl && !apiUrlFile) [apiUrl, apiUrlFile] = [global.slack_api_url, global.slack_api_url_file];
  if (!apiUrl && !apiUrlFile && !token && !tokenFile)
    throw new InvalidInputError("no Slack API URL nor App token set either inline or in a file");
  const http = config.http_config ?? DEFAULT_HTTP_CONFIG;
  if (!token && !tokenFile) return { ...config, api_url: apiUrl, api_url_file: apiUrlFile };
  if (http.authorization) throw new InvalidInputError("http authorization can't be set when using Slack App tokens");
  return {
    ...config,
    api_url: new Secret(appUrl ?? ""),
    api_url_file: undefined,
    http_config: { ...http, authorization: { type: "Bearer", credentials: token, credentials_file: tokenFile } },
  };
}

async function send(
  config: SlackConfig,
  memory: NotificationMemory,
  attempt: Attempt,
  sender: HttpSender,
): Promise<NotifyResult> {
  const time = config.update_message ? memory.get(MEMORY.time) : undefined;
  const knownChannel = config.update_message ? memory.get(MEMORY.channel) : undefined;
  const isUpdate = time && knownChannel;
  const channel = isUpdate ? knownChannel : attempt.text(config.channel);
  const message = {
    channel: channel || undefined,
    ts: isUpdate ? time : undefined,
    username: attempt.textOrNone(config.username),
    icon_emoji: attempt.textOrNone(config.icon_emoji),
    icon_url: attempt.textOrNone(config.icon_url),
    link_names: config.link_names || undefined,
    text: attempt.textOrNone(config.message_text),
    attachments: [attachment(config, attempt)],
  };
  const posted = await attempt.secrets.reveal(config.api_url, config.api_url_file);
  const url = isUpdate ? updateUrl(posted) : posted;
  const answer = await sender.send(jsonRequest(url, message), attempt.signal, config.timeout);
  const checked = checkAnswer(answer, { waitsWhenAsked: true });
  const result = checked.ok ? readAnswer(answer, config, memory) : checked;
  return result.ok ? result : { ...result, detail: `channel ${JSON.stringify(channel)}: ${result.detail}` };
}

/** Beside `chat.postMessage`, wherever Slack's API is: that is `https://slack.com/api/chat.update`. */
function updateUrl(postMessage: string): string {
  return postMessage.replace(/chat\.postMessage$/, "chat.update");
}

function attachment(config: SlackConfig, attempt: Attempt) {
  return {
    title: attempt.cut("title", attempt.text(config.title), MAX_TITLE_RUNES) || undefined,
    title_link: attempt.textOrNone(config.title_link),
    pretext: attempt.textOrNone(config.pretext),
    text: attempt.text(config.text),
    fallback: attempt.text(config.fallback),
    callback_id: attempt.text(config.callback_id),
    fields: orNone(
      config.fields.map(({ title, value, short }) => ({
        title: attempt.textOrNone(title),
        value: attempt.textOrNone(value),
        short: short ?? config.short_fields,
      })),
    ),
    actions: orNone(config.actions.map((action) => actionOf(action, attempt))),
    image_url: attempt.textOrNone(config.image_url),
    thumb_url: attempt.textOrNone(config.thumb_url),
    footer: attempt.text(config.footer),
    color: attempt.textOrNone(config.color),
    mrkdwn_in: config.mrkdwn_in.length > 0 ? config.mrkdwn_in : ["fallback", "pretext", "text"],
  };
}

function orNone<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined;
}

function actionOf({ confirm, ...action }: SlackConfig["actions"][number], attempt: Attempt) {
  return {
    type: attempt.textOrNone(action.type),
    text: attempt.textOrNone(action.text),
    url: attempt.textOrNone(action.url),
    style: attempt.textOrNone(action.style),
    name: attempt.textOrNone(action.name),
    value: attempt.textOrNone(action.value),
    confirm: confirm && {
      text: attempt.textOrNone(confirm.text),
      title: attempt.textOrNone(confirm.title),
      ok_text: attempt.textOrNone(confirm.ok_text),
      dismiss_text: attempt.textOrNone(confirm.dismiss_text),
    },
  };
}

/** Slack says what went wrong in answers of status 200, too. */
function readAnswer(answer: HttpAnswer, config: SlackConfig, memory: NotificationMemory): NotifyResult {
  const type = String(answer.headers["content-type"] ?? "");
  if (!type.startsWith("application/json")) {
    return answer.body === "ok"
      ? { ok: true, detail: "status 200: ok" }
      : failed(`received an error response from Slack: ${answer.body}`);
  }
  const said = jsonOf(answer);
  if (!said) return failed(`could not unmarshal JSON response ${JSON.stringify(answer.body.slice(0, 500))}`, true);
  if (said.ok !== true) return failed(`error response from Slack: ${String(said.error ?? "")}`);
  if (config.update_message && typeof said.ts === "string" && typeof said.channel === "string") {
    memory.set(MEMORY.time, said.ts);
    memory.set(MEMORY.channel, said.channel);
  }
  return { ok: true, detail: "status 200: ok" };
}
