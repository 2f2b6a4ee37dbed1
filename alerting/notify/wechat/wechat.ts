import { InvalidInputError } from "@sightline/model/errors.ts";
import { z } from "zod";
import { checkAnswer, failed, jsonOf } from "../answer-check.ts";
import type { Attempt } from "../attempt.ts";
import { httpConfig } from "../http/http-config.ts";
import type { HttpSender } from "../http/http-sender.ts";
import { httpIntegration, jsonRequest, type Send } from "../http-integration.ts";
import type { NotifyResult } from "../notifier.ts";
import { withSlash } from "../opsgenie/opsgenie.ts";
import { atMostOne, flag, optionalSecret, optionalText, optionalUrl, text } from "../receiver-values.ts";

const named = (name: string) => text(`{{ template "wechat.default.${name}" . }}`);

/** An entry of `wechat_configs`. */
const wechatConfig = z
  .strictObject({
    send_resolved: flag(false),
    http_config: httpConfig.optional(),
    api_secret: optionalSecret,
    api_secret_file: optionalText,
    corp_id: optionalText,
    message: named("message"),
    api_url: optionalUrl,
    to_user: named("to_user"),
    to_party: named("to_party"),
    to_tag: named("to_tag"),
    agent_id: named("agent_id"),
    message_type: text("text").transform((type) => type || "text"),
  })
  .superRefine((config, context) => {
    if (!/^(text|markdown)$/.test(config.message_type)) {
      const message = `weChat message type ${JSON.stringify(config.message_type)} does not match valid options ^(text|markdown)$`;
      context.addIssue({ code: "custom", message });
    }
    atMostOne(context, config, "api_secret", "api_secret_file");
  });
type WechatConfig = z.output<typeof wechatConfig>;

const TOKEN_MS = 2 * 3_600_000;
const TOKEN_EXPIRED = 42001;

/** Sends a message of WeChat Work, with an access token that is asked for every two hours. */
export const wechat = httpIntegration<WechatConfig>({
  kind: "wechat",
  schema: wechatConfig,
  withGlobals: (config, global) => {
    const url = config.api_url ?? global.wechat_api_url;
    if (!url) throw new InvalidInputError("no global Wechat URL set");
    const hasOwn = config.api_secret ?? config.api_secret_file;
    const api_secret = hasOwn ? config.api_secret : global.wechat_api_secret;
    const api_secret_file = hasOwn ? config.api_secret_file : global.wechat_api_secret_file;
    if (!api_secret && !api_secret_file)
      throw new InvalidInputError("no global Wechat Api Secret set either inline or in a file");
    const corp_id = config.corp_id ?? global.wechat_api_corp_id;
    if (!corp_id) throw new InvalidInputError("no global Wechat CorpID set");
    return { ...config, api_url: withSlash(url), api_secret, api_secret_file, corp_id };
  },
  sending: wechatSending,
});

type Token = { readonly text: string; readonly untilMs: number };

function wechatSending(config: WechatConfig): Send {
  let token: Token | undefined;
  return async (attempt, sender) => {
    if (!token || token.untilMs < Date.now()) {
      const found = await fetchToken(config, attempt, sender);
      if ("ok" in found) return found;
      token = found;
    }
    const result = await post(config, token.text, attempt, sender);
    if (result.forgetsToken) token = undefined;
    return result.result;
  };
}

async function fetchToken(config: WechatConfig, attempt: Attempt, sender: HttpSender): Promise<Token | NotifyResult> {
  const secret = attempt.text(await attempt.secrets.reveal(config.api_secret, config.api_secret_file));
  attempt.secrets.remember(secret);
  const url = new URL(config.api_url as string);
  url.pathname += "gettoken";
  url.search = new URLSearchParams({ corpid: attempt.text(config.corp_id ?? ""), corpsecret: secret }).toString();
  const answer = await sender.send({ method: "GET", url: url.href }, attempt.signal);
  const said = jsonOf(answer);
  if (answer.status >= 500) return checkAnswer(answer);
  if (!said) return failed(`the answer to the request for a token is no JSON (status ${answer.status})`);
  if (typeof said.access_token !== "string" || said.access_token === "")
    return failed(`invalid APISecret for CorpID: ${config.corp_id}`);
  attempt.secrets.remember(said.access_token);
  return { text: said.access_token, untilMs: Date.now() + TOKEN_MS };
}

async function post(
  config: WechatConfig,
  token: string,
  attempt: Attempt,
  sender: HttpSender,
): Promise<{ readonly result: NotifyResult; readonly forgetsToken: boolean }> {
  const content = attempt.text(config.message);
  const isMarkdown = config.message_type === "markdown";
  const message = {
    text: { content: isMarkdown ? "" : content },
    touser: attempt.textOrNone(config.to_user),
    toparty: attempt.textOrNone(config.to_party),
    totag: attempt.textOrNone(config.to_tag),
    agentid: attempt.textOrNone(config.agent_id),
    safe: "0",
    msgtype: config.message_type,
    markdown: { content: isMarkdown ? content : "" },
  };
  const url = new URL(config.api_url as string);
  url.pathname += "message/send";
  url.searchParams.set("access_token", token);
  const answer = await sender.send(jsonRequest(url.href, message), attempt.signal);
  const told = (result: NotifyResult) => ({ result, forgetsToken: false });
  if (answer.status !== 200) return told(failed(`unexpected status code ${answer.status}`, true));
  const said = jsonOf(answer);
  if (!said) return told(failed("the answer is no JSON", true));
  if (said.errcode === 0 || said.errcode === undefined) return told({ ok: true, detail: "status 200" });
  const isExpired = said.errcode === TOKEN_EXPIRED;
  return { result: failed(String(said.errmsg ?? said.errcode), isExpired), forgetsToken: isExpired };
}
