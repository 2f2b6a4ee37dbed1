import { InvalidInputError } from "@sightline/model/errors.ts";
import { sortedObject } from "../../templates/go-json.ts";
import { checkAnswer } from "../answer-check.ts";
import type { Attempt } from "../attempt.ts";
import type { OutgoingRequest } from "../http/exchange.ts";
import type { HttpSender } from "../http/http-sender.ts";
import { httpIntegration, jsonRequest } from "../http-integration.ts";
import type { NotifyResult } from "../notifier.ts";
import { type OpsgenieConfig, opsgenieConfig } from "./opsgenie-config.ts";

const MAX_MESSAGE_RUNES = 130;

/** Creates, updates and closes alerts in Opsgenie. */
export const opsgenie = httpIntegration<OpsgenieConfig>({
  kind: "opsgenie",
  schema: opsgenieConfig,
  withGlobals: (config, global) => {
    const url = config.api_url ?? global.opsgenie_api_url;
    if (!url) throw new InvalidInputError("no global OpsGenie URL set");
    const api_key = config.api_key ?? global.opsgenie_api_key;
    const api_key_file = config.api_key_file ?? global.opsgenie_api_key_file;
    if (!api_key && !api_key_file)
      throw new InvalidInputError("no global OpsGenie API Key set either inline or in a file");
    return { ...config, api_url: withSlash(url), api_key, api_key_file };
  },
  sending: (config) => (attempt, sender) => send(config, attempt, sender),
});

/** The address's path ends with a slash. */
export function withSlash(url: string): string {
  const [, path = url, rest = ""] = /^([^?#]*)(.*)$/s.exec(url) ?? [];
  return path.endsWith("/") ? url : `${path}/${rest}`;
}

async function send(config: OpsgenieConfig, attempt: Attempt, sender: HttpSender): Promise<NotifyResult> {
  const requests = attempt.isResolved ? [closing(config, attempt)] : opening(config, attempt);
  const key = attempt.text(await attempt.secrets.reveal(config.api_key, config.api_key_file)).trim();
  attempt.secrets.remember(key);
  let result: NotifyResult = { ok: true, detail: "" };
  for (const request of requests) {
    const headers = { ...request.headers, authorization: `GenieKey ${key}` };
    result = checkAnswer(await sender.send({ ...request, headers }, attempt.signal), { retryStatuses: [429] });
    if (!result.ok) return result;
  }
  return result;
}

/** Below the API's address; the alert is named by its alias. */
function alertUrl(config: OpsgenieConfig, attempt: Attempt, what: string): string {
  const url = new URL(config.api_url as string);
  url.pathname += `v2/alerts/${attempt.groupHash}/${what}`;
  url.searchParams.set("identifierType", "alias");
  return url.href;
}

function closing(config: OpsgenieConfig, attempt: Attempt): OutgoingRequest {
  return jsonRequest(alertUrl(config, attempt, "close"), { source: attempt.text(config.source) });
}

function opening(config: OpsgenieConfig, attempt: Attempt): OutgoingRequest[] {
  const details = { ...attempt.data.commonLabels };
  for (const [name, template] of Object.entries(config.details)) details[name] = attempt.text(template);
  const message = attempt.cut("message", attempt.text(config.message), MAX_MESSAGE_RUNES);
  const description = attempt.textOrNone(config.description);
  const found = responders(config, attempt);
  const [tags, actions] = [split(attempt.text(config.tags)), split(attempt.text(config.actions))];
  const url = new URL(config.api_url as string);
  url.pathname += "v2/alerts";
  const create = jsonRequest(url.href, {
    alias: attempt.groupHash,
    message,
    description,
    details: sortedObject(details),
    source: attempt.text(config.source),
    responders: found.length > 0 ? found : undefined,
    tags: tags.length > 0 ? tags : undefined,
    note: attempt.textOrNone(config.note),
    priority: attempt.textOrNone(config.priority),
    entity: attempt.textOrNone(config.entity),
    actions: actions.length > 0 ? actions : undefined,
  });
  if (!config.update_alerts) return [create];
  return [
    create,
    jsonRequest(alertUrl(config, attempt, "message"), { message: message || undefined }, "PUT"),
    jsonRequest(alertUrl(config, attempt, "description"), { description }, "PUT"),
  ];
}

type Responder = {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly username?: string | undefined;
  readonly type: string;
};

/** Those that are not empty, for they may come from labels; `teams` is a list of them in one name. */
function responders(config: OpsgenieConfig, attempt: Attempt): Responder[] {
  return config.responders.flatMap(({ id, name, username, type }): Responder[] => {
    const kind = attempt.text(type);
    const found = {
      id: attempt.textOrNone(id),
      name: attempt.textOrNone(name),
      username: attempt.textOrNone(username),
      type: kind,
    };
    if (!found.id && !found.name && !found.username && kind === "") return [];
    return kind === "teams" ? split(found.name ?? "").map((team) => ({ name: team, type: "team" })) : [found];
  });
}

function split(list: string): string[] {
  return list
    .trim()
    .split(",")
    .filter((part) => part !== "");
}
