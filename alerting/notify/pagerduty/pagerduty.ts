import { InvalidInputError } from "@sightline/model/errors.ts";
import { goJson, sortedObject } from "../../templates/go-json.ts";
import { type AnswerRule, checkAnswer, failed, jsonOf } from "../answer-check.ts";
import type { Attempt } from "../attempt.ts";
import type { HttpAnswer } from "../http/exchange.ts";
import type { HttpSender } from "../http/http-sender.ts";
import { httpIntegration } from "../http-integration.ts";
import type { NotifyResult } from "../notifier.ts";
import { renderDeep } from "../payload.ts";
import { type PagerdutyConfig, pagerdutyConfig } from "./pagerduty-config.ts";

const MAX_EVENT_BYTES = 512_000;
const MAX_SUMMARY_RUNES = 1024;
const EVENTS_V1 = "https://events.pagerduty.com/generic/2010-04-15/create_event.json";

/** Where events of version 1 go. It has no setting in Alertmanager; tests have another. */
export type PagerdutyOptions = { readonly eventsV1Url?: string };

export function pagerdutyIntegration({ eventsV1Url = EVENTS_V1 }: PagerdutyOptions = {}) {
  return httpIntegration<PagerdutyConfig>({
    kind: "pagerduty",
    schema: pagerdutyConfig,
    withGlobals: (config, global) => {
      const url = config.url ?? global.pagerduty_url;
      if (!url) throw new InvalidInputError("no global PagerDuty URL set");
      return { ...config, url };
    },
    sending: (config) => {
      const isV1 = Boolean(config.service_key ?? config.service_key_file);
      return (attempt, sender) =>
        isV1 ? sendV1(config, eventsV1Url, attempt, sender) : sendV2(config, attempt, sender);
    },
  });
}

/** Opens and resolves alerts in PagerDuty: Events API v2 with a routing key, v1 with a service key. */
export const pagerduty = pagerdutyIntegration();

function details(config: PagerdutyConfig, attempt: Attempt): Record<string, unknown> {
  const entries = Object.entries(config.details).map(
    ([key, value]) => [key, renderDeep(value, (template) => attempt.text(template))] as const,
  );
  return sortedObject(Object.fromEntries(entries));
}

async function sendV2(config: PagerdutyConfig, attempt: Attempt, sender: HttpSender): Promise<NotifyResult> {
  const key = attempt.text(await attempt.secrets.reveal(config.routing_key, config.routing_key_file));
  attempt.secrets.remember(key);
  if (key === "") return failed("routing key cannot be empty");
  const images = config.images
    .map(({ src, alt, href }) => ({ src: attempt.text(src), alt: attempt.text(alt), href: attempt.text(href) }))
    .filter(({ src }) => src !== "");
  const links = config.links
    .map(({ href, text }) => ({ href: attempt.text(href), text: attempt.text(text) }))
    .filter(({ href }) => href !== "");
  const event = (customDetails: Record<string, unknown>) => ({
    routing_key: key,
    dedup_key: attempt.groupHash,
    event_action: attempt.isResolved ? "resolve" : "trigger",
    payload: {
      summary: attempt.cut("summary", attempt.text(config.description), MAX_SUMMARY_RUNES),
      source: attempt.text(config.source),
      severity: attempt.text(config.severity),
      class: attempt.textOrNone(config.class),
      component: attempt.textOrNone(config.component),
      group: attempt.textOrNone(config.group),
      custom_details: customDetails,
    },
    client: attempt.textOrNone(config.client),
    client_url: attempt.textOrNone(config.client_url),
    images: images.length > 0 ? images : undefined,
    links: links.length > 0 ? links : undefined,
  });
  const answer = await post(config, config.url as string, event, attempt, sender);
  // https://developer.pagerduty.com/docs/events-api-v2-overview: too many events can be sent again later.
  return checkAnswer(answer, { retryStatuses: [429], detail: errorOf });
}

async function sendV1(
  config: PagerdutyConfig,
  url: string,
  attempt: Attempt,
  sender: HttpSender,
): Promise<NotifyResult> {
  const key = attempt.text(await attempt.secrets.reveal(config.service_key, config.service_key_file));
  attempt.secrets.remember(key);
  if (key === "") return failed("service key cannot be empty");
  const event = (eventDetails: Record<string, unknown>) => ({
    service_key: key,
    incident_key: attempt.groupHash,
    event_type: attempt.isResolved ? "resolve" : "trigger",
    description: attempt.cut("description", attempt.text(config.description), MAX_SUMMARY_RUNES) || undefined,
    event_action: "",
    payload: null,
    client: attempt.isResolved ? undefined : attempt.textOrNone(config.client),
    client_url: attempt.isResolved ? undefined : attempt.textOrNone(config.client_url),
    details: eventDetails,
  });
  // Version 1 answers 403 to too many events.
  return checkAnswer(await post(config, url, event, attempt, sender), V1_RULE);
}
const V1_RULE: AnswerRule = { retryStatuses: [403], detail: errorOf };

/** An event that is too large for PagerDuty goes without its details: the page is what counts. */
function post(
  config: PagerdutyConfig,
  url: string,
  event: (details: Record<string, unknown>) => unknown,
  attempt: Attempt,
  sender: HttpSender,
): Promise<HttpAnswer> {
  let body = `${goJson(event(details(config, attempt)))}\n`;
  if (Buffer.byteLength(body) > MAX_EVENT_BYTES) {
    attempt.countCut("details");
    const error = "Custom details have been removed because the original event exceeds the maximum size of 512KB";
    body = `${goJson(event({ error }))}\n`;
  }
  const headers = { "content-type": "application/json" };
  return sender.send({ url, headers, body }, attempt.signal, config.timeout);
}

/** `{"status":"invalid event","message":"…","errors":[…]}` */
function errorOf(answer: HttpAnswer): string {
  const said = answer.status === 400 ? jsonOf(answer) : undefined;
  if (!said) return "";
  const errors = Array.isArray(said.errors) ? said.errors.join(",") : "";
  return `${String(said.message ?? "")}: ${errors}`;
}
