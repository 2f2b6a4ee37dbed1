import { quote } from "@sightline/model/go-quote.ts";
import { goJson } from "../../templates/go-json.ts";
import { checkAnswer, jsonOf } from "../answer-check.ts";
import type { HttpSender } from "../http/http-sender.ts";
import type { NotifyResult } from "../notifier.ts";
import type { JiraConfig } from "./jira-config.ts";

/** A request that failed, as the notification is to end. */
export class JiraError extends Error {
  override readonly name = "JiraError";
  readonly result: NotifyResult;
  constructor(result: NotifyResult) {
    super(result.detail);
    this.result = result;
  }
}

export type JiraIssue = {
  readonly key?: string;
  readonly fields?: { readonly status?: { readonly statusCategory?: { readonly key?: string } } };
};

/** Requests to Jira's REST API, version 2 or 3 as the address says. They throw {@link JiraError}. */
export class JiraApi {
  readonly #config: JiraConfig;
  readonly #sender: HttpSender;
  readonly #signal: AbortSignal;

  constructor(config: JiraConfig, sender: HttpSender, signal: AbortSignal) {
    this.#config = config;
    this.#sender = sender;
    this.#signal = signal;
  }

  /** Version 3 has descriptions as documents. */
  get isVersion3(): boolean {
    return /\/3\/*$/.test(new URL(this.#config.api_url as string).pathname);
  }

  /** The newest issue of the group that may be written to. */
  async search(jql: string): Promise<JiraIssue | undefined> {
    const body = { fields: ["status"], jql, maxResults: 2 };
    const found = await this.#call(
      "POST",
      this.#searchUrl(),
      body,
      "failed to look up existing issues: HTTP request to JIRA API",
    );
    const issues = found?.issues;
    return Array.isArray(issues) ? (issues[0] as JiraIssue | undefined) : undefined;
  }

  async create(issue: unknown): Promise<void> {
    await this.#call("POST", this.#url("issue"), issue, 'failed to POST request to "issue"');
  }

  async update(key: string, issue: unknown): Promise<void> {
    const path = `issue/${encodeURIComponent(key)}`;
    await this.#call("PUT", this.#url(path), issue, `failed to PUT request to ${quote(path)}`);
  }

  async transition(key: string, name: string): Promise<void> {
    const url = this.#url(`issue/${encodeURIComponent(key)}/transitions`);
    const found = await this.#call("GET", url, undefined, "");
    const transitions = Array.isArray(found?.transitions)
      ? (found.transitions as { id?: string; name?: string }[])
      : [];
    const id = transitions.find((transition) => transition.name === name)?.id;
    if (id === undefined)
      throw new JiraError({ ok: false, retry: false, detail: `can't find transition ${name} for issue ${key}` });
    await this.#call("POST", url, { transition: { id } }, "");
  }

  #url(path: string): string {
    const url = new URL(this.#config.api_url as string);
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/${path}`;
    return url.href;
  }

  /** Jira Cloud has no `/search` any more, and Data Center no `/search/jql` yet. */
  #searchUrl(): string {
    const { api_type: type, api_url: apiUrl } = this.#config;
    const isCloud =
      type === "cloud" || (type === "auto" && new URL(apiUrl as string).hostname.endsWith("atlassian.net"));
    return isCloud ? this.#url("search/jql").replace("/rest/api/2/", "/rest/api/3/") : this.#url("search");
  }

  async #call(method: "GET" | "POST" | "PUT", url: string, body: unknown, what: string) {
    const headers = { "content-type": "application/json", "accept-language": "en" };
    const request = { method, url, headers, ...(body === undefined ? {} : { body: `${goJson(body)}\n` }) };
    const answer = await this.#sender.send(request, this.#signal);
    const result = checkAnswer(answer, { retryStatuses: [429] });
    if (!result.ok)
      throw new JiraError({ ...result, detail: what === "" ? result.detail : `${what}: ${result.detail}` });
    return jsonOf(answer);
  }
}
