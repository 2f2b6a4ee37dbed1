const STYLES = {
  page: "margin:0;padding:24px;background-color:#f4f5f7;font-family:Helvetica,Arial,sans-serif;font-size:14px;color:#1f2933",
  card: "max-width:640px;margin:0 auto;background-color:#ffffff;border:1px solid #d9dee4;border-radius:6px",
  header: "padding:16px 20px;border-radius:6px 6px 0 0;color:#ffffff;font-size:16px;font-weight:bold",
  cell: "padding:12px 20px",
  button: "display:inline-block;padding:8px 16px;background-color:#1f6feb;border-radius:4px;color:#ffffff",
  footer: "padding:12px 20px;color:#7b8794;font-size:12px",
};

/** One state's alerts under a heading. */
function section(state: "Firing" | "Resolved"): string {
  return `{{ with .Alerts.${state} }}<div style="${STYLES.cell}"><h3>${state}: {{ len . }}</h3>
{{ range . }}<p><strong>Labels</strong><br>
{{ range .Labels.SortedPairs }}{{ .Name }} = {{ .Value }}<br>
{{ end }}{{ if .Annotations }}<strong>Annotations</strong><br>
{{ range .Annotations.SortedPairs }}{{ .Name }} = {{ .Value }}<br>
{{ end }}{{ end }}<a href="{{ .GeneratorURL }}">Source</a></p>
{{ end }}</div>
{{ end }}`;
}

/** `email.default.html`: what Alertmanager's e-mail says, in a form of our own. */
export const EMAIL_TEMPLATE = `{{ define "email.default.html" }}<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ template "__subject" . }}</title>
</head>
<body style="${STYLES.page}">
<div style="${STYLES.card}">
{{ if .Alerts.Firing }}<div style="${STYLES.header};background-color:#c5221f">{{ else }}<div style="${STYLES.header};background-color:#188038">{{ end }}
{{ len .Alerts }} alert{{ if gt (len .Alerts) 1 }}s{{ end }} for {{ range .GroupLabels.SortedPairs }}{{ .Name }}={{ .Value }} {{ end }}
</div>
<div style="${STYLES.cell}"><a style="${STYLES.button}" href="{{ template "__alertmanagerURL" . }}">View in {{ template "__alertmanager" . }}</a></div>
${section("Firing")}${section("Resolved")}<div style="${STYLES.footer}"><a href="{{ .ExternalURL }}">Sent by {{ template "__alertmanager" . }}</a></div>
</div>
</body>
</html>
{{ end }}
`;
