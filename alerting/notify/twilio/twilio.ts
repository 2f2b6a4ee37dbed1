import { z } from "zod";
import { checkAnswer, failed, jsonOf } from "../answer-check.ts";
import type { Attempt } from "../attempt.ts";
import type { HttpAnswer } from "../http/exchange.ts";
import { httpConfig } from "../http/http-config.ts";
import type { HttpSender } from "../http/http-sender.ts";
import { httpIntegration } from "../http-integration.ts";
import type { NotifyResult } from "../notifier.ts";
import { atMostOne, flag, listOf, optionalSecret, optionalText, optionalUrl, text } from "../receiver-values.ts";

const MAX_RECIPIENTS = 50;

/** An entry of `twilio_configs`, which Alertmanager does not have. */
const twilioConfig = z
  .strictObject({
    send_resolved: flag(false),
    http_config: httpConfig.optional(),
    api_url: optionalUrl,
    account_sid: text(),
    /** Of an API key; without it the account's own token is meant. */
    api_key_sid: optionalText,
    auth_token: optionalSecret,
    auth_token_file: optionalText,
    from: optionalText,
    messaging_service_sid: optionalText,
    to: listOf(text()),
    message: text('{{ template "__subject" . }}{{ with .CommonAnnotations.summary }}: {{ . }}{{ end }}'),
  })
  .superRefine((config, context) => {
    const refuse = (message: string) => context.addIssue({ code: "custom", message });
    if (config.account_sid === "") refuse("missing account_sid on twilio_config");
    if (!config.auth_token && !config.auth_token_file)
      refuse("one of auth_token or auth_token_file must be configured");
    atMostOne(context, config, "auth_token", "auth_token_file");
    if (!config.from && !config.messaging_service_sid)
      refuse("one of from or messaging_service_sid must be configured");
    atMostOne(context, config, "from", "messaging_service_sid");
    if (config.to.length === 0) refuse("missing to on twilio_config");
    if (config.to.length > MAX_RECIPIENTS) refuse(`at most ${MAX_RECIPIENTS} numbers in to on twilio_config`);
  });
type TwilioConfig = z.output<typeof twilioConfig>;

/** https://www.twilio.com/docs/messaging/api/message-resource */
const MAX_BODY_RUNES = 1600;
const API = "https://api.twilio.com";

/** Sends a short message to each number by Twilio. */
export const twilio = httpIntegration<TwilioConfig>({
  kind: "twilio",
  schema: twilioConfig,
  sending: (config) => {
    // Numbers that have had the message which others could not be sent yet: nobody is told twice by a retry.
    const sent = new Map<string, Set<string>>();
    return (attempt, sender) => send(config, sent, attempt, sender);
  },
});

async function send(
  config: TwilioConfig,
  sent: Map<string, Set<string>>,
  attempt: Attempt,
  sender: HttpSender,
): Promise<NotifyResult> {
  const token = await attempt.secrets.reveal(config.auth_token, config.auth_token_file);
  const pair = `${config.api_key_sid ?? config.account_sid}:${token}`;
  const headers = {
    "content-type": "application/x-www-form-urlencoded",
    authorization: `Basic ${Buffer.from(pair).toString("base64")}`,
  };
  const account = encodeURIComponent(config.account_sid);
  const url = `${(config.api_url ?? API).replace(/\/$/, "")}/2010-04-01/Accounts/${account}/Messages.json`;
  const body = attempt.cut("message", attempt.text(config.message), MAX_BODY_RUNES);
  const from: Record<string, string> = config.from
    ? { From: attempt.text(config.from) }
    : { MessagingServiceSid: config.messaging_service_sid ?? "" };
  const numbers = config.to.map((to) => attempt.text(to)).filter((to) => to !== "");
  if (numbers.length === 0) return failed("to is empty after templating");
  const key = `${attempt.notification.groupKey}\n${attempt.notification.nowMs}`;
  const done = sent.get(key) ?? new Set<string>();
  let problem: NotifyResult | undefined;
  for (const To of numbers.filter((number) => !done.has(number))) {
    const form = new URLSearchParams({ To, ...from, Body: body }).toString();
    const answer = await sender.send({ url, headers, body: form }, attempt.signal);
    const result = checkAnswer(answer, { retryStatuses: [429], detail: errorOf });
    if (result.ok) done.add(To);
    // One wrong number must not keep the others from being told; what may be mended is told first.
    else if (!problem || (result.retry && !problem.ok && !problem.retry)) problem = result;
  }
  sent.delete(key);
  if (!problem) return { ok: true, detail: `${numbers.length} sent` };
  if (!problem.ok && problem.retry) remember(sent, key, done);
  return problem;
}

const MAX_REMEMBERED = 100;

function remember(sent: Map<string, Set<string>>, key: string, done: Set<string>): void {
  sent.set(key, done);
  if (sent.size > MAX_REMEMBERED) for (const oldest of sent.keys()) return void sent.delete(oldest);
}

/** `{"code":21211,"message":"The 'To' number … is not a valid phone number.","more_info":…,"status":400}` */
function errorOf(answer: HttpAnswer): string {
  const said = jsonOf(answer);
  return said ? `${String(said.code ?? "")} ${String(said.message ?? "")}`.trim() : answer.body;
}
