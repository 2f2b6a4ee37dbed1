/**
 * The templates that are there without a file: names and texts are those of Alertmanager, so that a user's template may
 * call or replace them. The e-mail is our own.
 */

function define(name: string, body: string): string {
  return `{{ define "${name}" }}${body}{{ end }}\n`;
}

const call = (name: string) => `{{ template "${name}" . }}`;
const STATES = ["Firing", "Resolved"] as const;

/** Labels or annotations of an alert, a line each. */
function pairLines(field: "Labels" | "Annotations", indent: string): string {
  return `{{ range .${field}.SortedPairs }}${indent}- {{ .Name }} = {{ .Value }}\n{{ end }}`;
}

const LISTS = [
  define(
    "__text_alert_list",
    `{{ range . }}Labels:\n${pairLines("Labels", " ")}Annotations:\n${pairLines("Annotations", " ")}` +
      "Source: {{ .GeneratorURL }}\n{{ end }}",
  ),
  define(
    "__text_alert_list_markdown",
    `{{ range . }}\nLabels:\n${pairLines("Labels", "  ")}\nAnnotations:\n${pairLines("Annotations", "  ")}\n` +
      "Source: {{ .GeneratorURL }}\n{{ end }}\n",
  ),
];

const ANNOTATIONS = '{{ .CommonAnnotations.SortedPairs.Values | join " " }}\n';

/** The alerts under headings, with empty lines where there are none of a state. */
function spaced(heading: string, list: string): string {
  return STATES.map(
    (state) =>
      `{{ if .Alerts.${state} }}\n${heading}Alerts ${state}:\n{{ template "${list}" .Alerts.${state} }}\n{{ end }}\n`,
  ).join("");
}

/** The same without empty lines. */
const COMPACT = STATES.map(
  (state) => `{{ if .Alerts.${state} }}Alerts ${state}:\n{{ template "__text_alert_list" .Alerts.${state} }}{{ end }}`,
).join("\n");

const PLAIN = spaced("", "__text_alert_list");
const MARKDOWN = `\n${spaced("# ", "__text_alert_list_markdown")}`;

/** The most urgent severity of the firing alerts, or of the resolved ones if there is none, in Jira's words. */
const JIRA_PRIORITY = `{{ $priority := "" }}${STATES.map(
  (state) =>
    `{{ if eq $priority "" }}{{ range .Alerts.${state} }}{{ $severity := .Labels.severity }}` +
    '{{ if eq $severity "critical" }}{{ $priority = "High" }}' +
    '{{ else if and (eq $severity "warning") (ne $priority "High") }}{{ $priority = "Medium" }}' +
    '{{ else if and (eq $severity "info") (eq $priority "") }}{{ $priority = "Low" }}' +
    "{{ end }}{{ end }}{{ end }}",
).join("")}{{ $priority }}`;

const SUBJECT =
  '[{{ toUpper .Status }}{{ if eq .Status "firing" }}:{{ len .Alerts.Firing }}{{ end }}] ' +
  '{{ join " " .GroupLabels.Values }} ' +
  '{{ if gt (len .CommonLabels) (len .GroupLabels) }}({{ join " " (.CommonLabels.Remove .GroupLabels.Names).Values }}){{ end }}';
const COLOR = '{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}';

const BODIES: Readonly<Record<string, string>> = {
  __alertmanager: "Alertmanager",
  __alertmanagerURL: "{{ .ExternalURL }}/#/alerts?receiver={{ .Receiver | urlquery }}",
  __subject: SUBJECT,
  "slack.default.color": COLOR,
  "mattermost.default.color": COLOR,
  "slack.default.fallback": `${call("slack.default.title")} | ${call("slack.default.titlelink")}`,
  "mattermost.default.fallback": `${call("mattermost.default.title")} | ${call("mattermost.default.titlelink")}`,
  "pagerduty.default.instances": call("__text_alert_list"),
  "opsgenie.default.description": ANNOTATIONS + COMPACT,
  "victorops.default.state_message": ANNOTATIONS + COMPACT,
  "wechat.default.message": `${call("__subject")}\n${ANNOTATIONS}${COMPACT}\nAlertmanagerUrl:\n${call("__alertmanagerURL")}`,
  "pushover.default.message": ANNOTATIONS + PLAIN,
  "sns.default.message": ANNOTATIONS + PLAIN,
  "webex.default.message": ANNOTATIONS + PLAIN,
  "telegram.default.message": `\n${PLAIN}`,
  "discord.default.message": `\n${PLAIN}`,
  "msteams.default.text": MARKDOWN,
  "msteamsv2.default.text": MARKDOWN,
  "mattermost.default.text": MARKDOWN,
  "jira.default.description": MARKDOWN,
  "jira.default.priority": JIRA_PRIORITY,
};

/** Names that stand for another template, and those that are empty until a user gives them a text. */
const SAME_AS: Readonly<Record<string, string>> = {
  __subject:
    "slack.default.title pagerduty.default.description opsgenie.default.message victorops.default.entity_display_name " +
    "pushover.default.title sns.default.subject discord.default.title msteams.default.summary msteams.default.title " +
    "msteamsv2.default.title jira.default.summary rocketchat.default.title mattermost.default.title email.default.subject",
  __alertmanager:
    "slack.default.username pagerduty.default.client victorops.default.monitoring_tool rocketchat.default.alias " +
    "mattermost.default.username",
  __alertmanagerURL:
    "slack.default.titlelink pagerduty.default.clientURL opsgenie.default.source pushover.default.url " +
    "rocketchat.default.titlelink mattermost.default.titlelink",
};
const EMPTY =
  "__description slack.default.callbackid slack.default.pretext slack.default.iconemoji slack.default.iconurl " +
  "slack.default.text slack.default.footer wechat.default.to_user wechat.default.to_party wechat.default.to_tag " +
  "wechat.default.agent_id discord.default.content rocketchat.default.emoji rocketchat.default.iconurl rocketchat.default.text";

/** `default.tmpl` */
export const DEFAULT_TEMPLATES: string = [
  ...LISTS,
  ...Object.entries(BODIES).map(([name, body]) => define(name, body)),
  ...Object.entries(SAME_AS).flatMap(([target, names]) => names.split(" ").map((name) => define(name, call(target)))),
  ...EMPTY.split(" ").map((name) => define(name, "")),
].join("");
