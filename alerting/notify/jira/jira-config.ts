import { z } from "zod";
import { httpConfig } from "../http/http-config.ts";
import { anything, flag, listOf, optionalUrl, prometheusDurationMs, text } from "../receiver-values.ts";

/** A template, or an object that also says whether the field of an issue that is there is written again. */
function field(name: string) {
  const template = `{{ template "jira.default.${name}" . }}`;
  return z
    .union([
      z.string().transform((given) => ({ template: given, enable_update: true })),
      z.strictObject({ template: text(template), enable_update: flag(true) }),
    ])
    .default({ template, enable_update: true });
}

/** An entry of `jira_configs`. */
export const jiraConfig = z
  .strictObject({
    send_resolved: flag(true),
    http_config: httpConfig.optional(),
    api_url: optionalUrl,
    api_type: text("auto"),
    project: text(),
    summary: field("summary"),
    description: field("description"),
    labels: listOf(text()),
    priority: text('{{ template "jira.default.priority" . }}'),
    issue_type: text(),
    reopen_transition: text(),
    resolve_transition: text(),
    wont_fix_resolution: text(),
    reopen_duration: prometheusDurationMs(),
    fields: z.record(z.string(), anything).nullish(),
  })
  .superRefine((config, context) => {
    const refuse = (message: string) => context.addIssue({ code: "custom", message });
    if (config.project === "") refuse("missing project in jira_config");
    if (config.issue_type === "") refuse("missing issue_type in jira_config");
    if (!["auto", "cloud", "datacenter"].includes(config.api_type))
      refuse("unknown api_type on jira_config, must be auto, cloud or datacenter");
  });

export type JiraConfig = z.output<typeof jiraConfig>;
