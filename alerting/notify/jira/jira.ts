import { InvalidInputError } from "@sightline/model/errors.ts";
import { quote } from "@sightline/model/go-quote.ts";
import { sortedObject } from "../../templates/go-json.ts";
import type { Attempt } from "../attempt.ts";
import type { HttpSender } from "../http/http-sender.ts";
import { httpIntegration } from "../http-integration.ts";
import type { NotifyResult } from "../notifier.ts";
import { renderDeep } from "../payload.ts";
import { rendered } from "../rendered.ts";
import { JiraApi, JiraError, type JiraIssue } from "./jira-api.ts";
import { type JiraConfig, jiraConfig } from "./jira-config.ts";

const LIMITS = { summary: 255, description: 32_767 };

/** Creates an issue per group in Jira, and updates, closes and reopens it. A label of the issue names the group. */
export const jira = httpIntegration<JiraConfig>({
  kind: "jira",
  schema: jiraConfig,
  withGlobals: (config, global) => {
    const url = config.api_url ?? global.jira_api_url;
    if (!url) throw new InvalidInputError("no global Jira Cloud URL set");
    return { ...config, api_url: url };
  },
  sending: (config) => async (attempt, sender) => {
    try {
      return await send(config, attempt, sender);
    } catch (error) {
      if (error instanceof JiraError) return error.result;
      throw error;
    }
  },
});

async function send(config: JiraConfig, attempt: Attempt, sender: HttpSender): Promise<NotifyResult> {
  const api = new JiraApi(config, sender, attempt.signal);
  const isFiring = !attempt.isResolved;
  const found = await api.search(searchFor(config, attempt, isFiring));
  if (!found?.key) {
    if (!isFiring) return { ok: true, detail: "resolved, and there is no issue" };
    await api.create({ fields: fields(config, attempt, api.isVersion3) });
    return { ok: true, detail: "issue created" };
  }
  const { summary, description, ...others } = fields(config, attempt, api.isVersion3);
  const updated = {
    ...others,
    ...(config.summary.enable_update ? { summary } : {}),
    ...(config.description.enable_update && description !== undefined ? { description } : {}),
  };
  await api.update(found.key, { fields: sortedObject(updated) });
  const transition = transitionFor(config, found, isFiring);
  if (transition) await api.transition(found.key, transition);
  return { ok: true, detail: `issue ${found.key} updated` };
}

function groupLabel(attempt: Attempt): string {
  return `ALERT{${attempt.groupHash}}`;
}

function searchFor(config: JiraConfig, attempt: Attempt, isFiring: boolean): string {
  const minutes = Math.trunc(config.reopen_duration / 60_000);
  const mayReopen = isFiring && config.reopen_transition !== "" && minutes > 0;
  const conditions = [
    // `!=` alone leaves out issues without a resolution.
    ...(config.wont_fix_resolution === ""
      ? []
      : [`(resolution is EMPTY or resolution != ${quote(config.wont_fix_resolution)})`]),
    mayReopen ? `(resolutiondate is EMPTY OR resolutiondate >= -${minutes}m)` : "statusCategory != Done",
    `project=${quote(attempt.text(config.project))}`,
    `labels=${quote(groupLabel(attempt))}`,
  ];
  return `${conditions.join(" and ")} order by status ASC,resolutiondate DESC`;
}

function transitionFor(config: JiraConfig, { fields }: JiraIssue, isFiring: boolean): string {
  const category = fields?.status?.statusCategory?.key;
  if (!fields?.status) return "";
  const isDone = category === "done";
  return isFiring === isDone ? (isFiring ? config.reopen_transition : config.resolve_transition) : "";
}

function fields(config: JiraConfig, attempt: Attempt, isVersion3: boolean): Record<string, unknown> {
  const render = (what: string, template: string) => rendered(`${what} template`, () => attempt.text(template));
  const description = descriptionOf(
    attempt.cut("description", render("description", config.description.template), LIMITS.description),
    isVersion3,
  );
  const priority = render("priority", config.priority);
  const labels = [...config.labels.map((label, i) => render(`labels[${i}]`, label)), groupLabel(attempt)];
  return sortedObject({
    project: { key: render("project", config.project) },
    issuetype: { name: render("issue_type", config.issue_type) },
    summary: attempt.cut("summary", render("summary", config.summary.template), LIMITS.summary),
    labels: labels.sort(),
    ...(description === undefined ? {} : { description }),
    ...(priority === "" ? {} : { priority: { name: priority } }),
    ...Object.fromEntries(
      Object.entries(config.fields ?? {}).map(([name, value]) => [
        name,
        renderDeep(value, (template) => render("fields", template)),
      ]),
    ),
  });
}

/** A text, or in version 3 a document that the template writes as JSON. */
function descriptionOf(rendered: string, isVersion3: boolean): unknown {
  if (!isVersion3) return rendered === "" ? undefined : rendered;
  if (rendered.trim() === "") return undefined;
  try {
    return JSON.parse(rendered);
  } catch {
    throw new JiraError({ ok: false, retry: false, detail: "description template: invalid JSON for API v3" });
  }
}
