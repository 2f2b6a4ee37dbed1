import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { LabelMap } from "../alert.ts";
import { type NotificationData, notificationData } from "./notification-data.ts";
import { NotificationTemplateError, NotificationTemplates } from "./notification-templates.ts";

const LIMITS = { maxCharacters: 50_000, maxSteps: 20_000 };
const NOW_MS = Date.UTC(2026, 0, 2);

function alertOf(labels: LabelMap, endsAtMs: number, annotations: LabelMap = { summary: "it's <down>" }) {
  return {
    labels: { alertname: "Down", severity: "warning", ...labels },
    annotations,
    startsAtMs: Date.UTC(2026, 0, 1, 0, 0, 0, 500),
    endsAtMs,
    updatedAtMs: NOW_MS,
    generatorUrl: "http://g/?a=1&b=2",
    isTimeout: false,
  };
}
const FIRING = alertOf({ job: "a" }, Date.UTC(2026, 0, 3));
const RESOLVED = alertOf({ job: "b" }, Date.UTC(2026, 0, 1, 12));

function dataOf(alerts = [FIRING, RESOLVED], overrides: Partial<NotificationData> = {}): NotificationData {
  const input = {
    receiver: "team.X",
    reason: "new alerts added",
    groupLabels: { alertname: "Down" },
    routeLabels: { team: "x" },
  };
  return { ...notificationData({ ...input, alerts, nowMs: NOW_MS, externalUrl: "http://am.example" }), ...overrides };
}
const TEMPLATES = new NotificationTemplates([], LIMITS);
const text = (template: string, data = dataOf(), templates = TEMPLATES) => templates.renderText(template, data, NOW_MS);
const html = (template: string, data = dataOf()) => TEMPLATES.renderHtml(template, data, NOW_MS);

// What is expected here is what `amtool template render` makes of the same.
describe("the templates that are there", () => {
  const LIST =
    "Labels:\n - alertname = Down\n - job = a\n - severity = warning\nAnnotations:\n - summary = it's <down>\n" +
    "Source: http://g/?a=1&b=2\n";
  const MARKDOWN =
    "\nLabels:\n  - alertname = Down\n  - job = a\n  - severity = warning\n\nAnnotations:\n  - summary = it's <down>\n\n" +
    "Source: http://g/?a=1&b=2\n\n";
  const cases: readonly (readonly [string, string])[] = [
    ["__subject", "[FIRING:1] Down (a warning)"],
    ["slack.default.title", "[FIRING:1] Down (a warning)"],
    ["slack.default.color", "danger"],
    ["slack.default.username", "Alertmanager"],
    ["slack.default.titlelink", "http://am.example/#/alerts?receiver=team%5C.X"],
    ["pagerduty.default.clientURL", "http://am.example/#/alerts?receiver=team%5C.X"],
    ["discord.default.content", ""],
    ["email.default.subject", "[FIRING:1] Down (a warning)"],
    ["opsgenie.default.description", `it's <down>\nAlerts Firing:\n${LIST}\n`],
    ["victorops.default.state_message", `it's <down>\nAlerts Firing:\n${LIST}\n`],
    ["telegram.default.message", `\n\nAlerts Firing:\n${LIST}\n\n\n`],
    ["sns.default.message", `it's <down>\n\nAlerts Firing:\n${LIST}\n\n\n`],
    ["msteamsv2.default.text", `\n\n# Alerts Firing:\n${MARKDOWN}\n\n\n`],
    [
      "wechat.default.message",
      `[FIRING:1] Down (a warning)\nit's <down>\nAlerts Firing:\n${LIST}\n\nAlertmanagerUrl:\nhttp://am.example/#/alerts?receiver=team%5C.X`,
    ],
    ["jira.default.priority", "Medium"],
  ];
  test.each(cases)("%s", (name, want) => expect(text(`{{ template "${name}" . }}`, dataOf([FIRING]))).toBe(want));

  test("of a resolved group", () => {
    const data = dataOf([RESOLVED]);
    expect(text('{{ template "__subject" . }}|{{ template "slack.default.color" . }}', data)).toBe(
      "[RESOLVED] Down (b warning)|good",
    );
    expect(text('{{ template "opsgenie.default.description" . }}', data)).toMatch(
      /^it's <down>\n\nAlerts Resolved:\nLabels:/,
    );
  });

  test("a subject without more labels than the group's has no brackets", () =>
    expect(text('{{ template "__subject" . }}|', dataOf([FIRING], { commonLabels: { alertname: "Down" } }))).toBe(
      "[FIRING:1] Down |",
    ));

  test.each([
    [["critical", "info"], "High"],
    [["info", "warning"], "Medium"],
    [["info"], "Low"],
    [["none"], ""],
  ])("the priority of %j is %s", (severities, want) => {
    const alerts = severities.map((severity) => alertOf({ severity }, Date.UTC(2026, 0, 3)));
    expect(text('{{ template "jira.default.priority" . }}', dataOf(alerts))).toBe(want);
  });

  test("the mail names all alerts, with their values escaped", () => {
    const page = html('{{ template "email.default.html" . }}');
    expect(page).toContain("2 alerts for alertname=Down");
    expect(page).toContain("Firing: 1");
    expect(page).toContain("Resolved: 1");
    expect(page).toContain("summary = it&#39;s &lt;down&gt;");
    expect(page).toContain('<a href="http://g/?a=1&amp;b=2">Source</a>');
    expect(page).toContain('href="http://am.example/#/alerts?receiver=team%5C.X"');
  });
});

describe("data and functions", () => {
  test.each([
    [
      "{{ .Receiver }} {{ .Status }} {{ .NotificationReason }} {{ .ExternalURL }}",
      "team\\.X firing new alerts added http://am.example",
    ],
    ["{{ .CommonLabels }} {{ .CommonAnnotations.summary }}", "alertname=Down, severity=warning it's <down>"],
    [
      "{{ .CommonLabels.Names.Join `,` }} {{ (.CommonLabels.Remove (stringSlice `severity`)).Values }}",
      "alertname,severity [Down]",
    ],
    ["{{ range .Alerts }}{{ .Status }} {{ .Labels.job }} {{ .Labels.nope }}|{{ end }}", "firing a |resolved b |"],
    [
      "{{ range .Alerts }}{{ .StartsAt }} {{ .EndsAt.IsZero }} {{ .Fingerprint | len }};{{ end }}",
      "2026-01-01 00:00:00.5 +0000 UTC true 16;2026-01-01 00:00:00.5 +0000 UTC false 16;",
    ],
    ['{{ "foo BAR don\'t" | title }} {{ "ß" | toUpper }} {{ trimSpace " a " }}', "Foo Bar Don't ß a"],
    ['{{ match "^a.c$" "abc" }} {{ reReplaceAll "(a)(b)" "$2$1" "abab" }}', "true baba"],
    ['{{ urlUnescape "a%20b+c" }} {{ join "," (stringSlice "a" "b") }}', "a b c a,b"],
    ['{{ routeLabels "team" }}|{{ routeLabels "nope" }}', "x|"],
    ['{{ (index .Alerts 0).StartsAt | tz "Europe/Berlin" | date "15:04 MST" }}', "01:00 CET"],
    [
      "{{ since (index .Alerts 0).StartsAt }} {{ since (index .Alerts 0).StartsAt | humanizeDuration }} {{ now | date `2006` }}",
      "23h59m59.5s 23h 59m 59s 2026",
    ],
    [
      "{{ humanizeDuration 0.0123 }} {{ humanizeDuration 100000 }} {{ humanizeDuration -90.5 }}",
      "12.3ms 1d 3h 46m 40s -1m 30s",
    ],
    [
      '{{ toDate "2006-01-02" "2026-03-04" | toJson }} {{ toDate "2006" "x" | toJson }}',
      '"2026-03-04T00:00:00Z" "0001-01-01T00:00:00Z"',
    ],
    ['{{ base64encode "a?b>>>" }} {{ base64decode "YT9iPj4-" }}', "YT9iPj4- a?b>>>"],
    ['{{ append (list 1) 2 "x" | toJson }} {{ dict "b" 1 "a" nil | toJson }}', '[1,2,"x"] {"a":null,"b":1}'],
    [
      '{{ printf "%s|%q" .CommonLabels .CommonLabels }} {{ len (safeHtml "<b>") }}',
      'alertname=Down, severity=warning|"alertname=Down, severity=warning" 3',
    ],
    [
      '{{ "ßa ﬁx 3rd" | title }} {{ toLower "İ" }} {{ append nil 1 }} {{ (index .Alerts 0).EndsAt.YearDay }}',
      "Ssa Fix 3Rd i [1] 1",
    ],
    ["{{ .CommonAnnotations | toJson }}", '{"summary":"it\'s \\u003cdown\\u003e"}'],
  ])("%s", (template, want) => expect(text(template)).toBe(want));

  test.each([
    ["{{ .Nope }}", 'template: :1:3: executing "" at <.Nope>: can\'t evaluate field Nope in type *template.Data'],
    ["{{ tz `Nope/City` now }}", "unknown time zone Nope/City"],
    ["{{ dict 1 2 }}", "dict keys must be strings"],
    ["{{ match `(` `` }}", "error calling match: error parsing regexp: missing closing )"],
    ["{{ nope }}", 'function "nope" not defined'],
    ["{{ if }}", "missing value for if"],
    ['{{ base64decode "!" }}', "illegal base64 data at input byte 0"],
  ])("%s fails in Go's words", (template, problem) => {
    expect(() => text(template)).toThrow(NotificationTemplateError);
    expect(() => text(template)).toThrow(problem);
  });
});

describe("pages", () => {
  const evil = "\"'<script>alert(1)</script>";
  const data = dataOf([FIRING], { receiver: evil, externalUrl: "javascript:alert(1)" });
  test.each([
    ["<b>{{ .Receiver }}</b>", "<b>&#34;&#39;&lt;script&gt;alert(1)&lt;/script&gt;</b>"],
    ['<a href="{{ .ExternalURL }}">', '<a href="#ZgotmplZ">'],
    ['<a href="/x?q={{ .Receiver }}">', '<a href="/x?q=%22%27%3cscript%3ealert%281%29%3c%2fscript%3e">'],
    ['<a href="/x?q={{ "a b" | urlquery }}">', '<a href="/x?q=a&#43;b">'],
    ["<p title={{ `a b=c` }}>", "<p title=a&#32;b&#61;c>"],
    ['<p style="color: {{ `red` }}; x: {{ `url(y)` }}">', '<p style="color: red; x: ZgotmplZ">'],
    [
      "<script>var x = {{ .CommonLabels }};</script>",
      '<script>var x = {"alertname":"Down","job":"a","severity":"warning"};</script>',
    ],
    ["<p {{ `onclick` }}=x>", "<p ZgotmplZ=x>"],
    ["<!-- {{ .Receiver }} -->a<!-- b -->c", "ac"],
    ["{{ `<i>` | safeHtml }}{{ `<i>` }}", "<i>&lt;i&gt;"],
    ["<title>{{ `</title>` }}</title>", "<title>&lt;/title&gt;</title>"],
  ])("%s", (template, want) => expect(html(template, data).replace("&#43;", "&#43;")).toBe(want));
});

describe("a user's files", () => {
  test("take the place of names that are there, and may call them", async () => {
    const dir = mkdtempSync(join(tmpdir(), "templates-"));
    writeFileSync(
      join(dir, "a.tmpl"),
      '{{ define "__alertmanager" }}Ours{{ end }}{{ define "x" }}{{ template "__subject" . }}!{{ end }}',
    );
    const templates = await NotificationTemplates.load(["*.tmpl", "none/*"], dir, LIMITS);
    expect(text('{{ template "slack.default.username" . }} {{ template "x" . }}', dataOf([FIRING]), templates)).toBe(
      "Ours [FIRING:1] Down (a warning)!",
    );
  });

  test("that can't be read are named", async () => {
    const dir = mkdtempSync(join(tmpdir(), "templates-"));
    writeFileSync(join(dir, "bad.tmpl"), '{{ define "x" }}');
    await expect(NotificationTemplates.load(["*.tmpl"], dir, LIMITS)).rejects.toThrow(
      "template: bad.tmpl:1: unexpected EOF",
    );
  });

  test("what one text defines, another does not know", () => {
    expect(text('{{ define "own" }}o{{ end }}{{ template "own" }}')).toBe("o");
    expect(() => text('{{ template "own" }}')).toThrow("not defined");
  });
});

describe("templates that never end, or grow", () => {
  const many = dataOf(Array.from({ length: 300 }, (_, i) => alertOf({ job: `j${i}` }, Date.UTC(2026, 0, 3))));
  test.each([
    ["{{ range .Alerts }}{{ range $.Alerts }}{{ end }}{{ end }}", "steps"],
    ["{{ range 1000000000 }}{{ end }}", "steps"],
    ['{{ define "x" }}{{ template "x" . }}{{ end }}{{ template "x" . }}', "exceeded maximum template depth"],
    ["{{ $a := `xxxxxxxx` }}{{ range 1000 }}{{ $a = printf `%s%s` $a $a }}{{ end }}", "characters"],
    ["{{ $a := list 1 }}{{ range 100 }}{{ $a = list $a $a }}{{ end }}{{ $a }}", "more than 100000 values in one"],
    [
      "{{ $a := list 1 }}{{ range 100 }}{{ $a = append $a $a $a }}{{ end }}{{ $a | toJson }}",
      "more than 100000 values in one",
    ],
    [
      "{{ $a := dict `x` 1 }}{{ range 100 }}{{ $a = dict `x` $a `y` $a }}{{ end }}{{ $a }}",
      "more than 100000 values in one",
    ],
    ["{{ range .Alerts }}{{ $.Alerts | toJson | len }}{{ end }}", "characters"],
    [
      "{{ range .Alerts }}{{ range $.CommonLabels.SortedPairs }}{{ $.CommonAnnotations }}{{ $.Alerts }}{{ end }}{{ end }}",
      "characters",
    ],
  ])("%s", (template, problem) => expect(() => text(template, many)).toThrow(problem));

  test("a value that would be longer than any text ends when it is too long", () => {
    const data = dataOf(Array.from({ length: 20_000 }, (_, i) => alertOf({ job: `job-${i}` }, Date.UTC(2026, 0, 3))));
    expect(() => text("{{ .Alerts }}", data)).toThrow("characters");
    expect(() => text("{{ len (print .Alerts) }}", data)).toThrow("characters");
  });

  test("CPU time is limited, too", () => {
    // Less than nothing, so that it does not matter how fast the machine is.
    const templates = new NotificationTemplates([], { ...LIMITS, maxCpuMs: -1 });
    expect(text("{{ .Status }}", dataOf(), templates)).toBe("firing");
    expect(() => text("{{ range 1000 }}{{ end }}", dataOf(), templates)).toThrow("takes more than -1 ms of CPU time");
    expect(() => text(`{{ print "${"x".repeat(20_000)}" }}`, dataOf(), templates)).toThrow("CPU time");
  });

  test("say that it is a limit, so that less can be tried", () => {
    const error = (() => {
      try {
        return text("{{ range 1000000000 }}{{ end }}");
      } catch (cause) {
        return cause;
      }
    })();
    expect(error).toMatchObject({ isLimit: true });
  });
});
