import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { NotificationTemplates } from "../templates/notification-templates.ts";
import { TemplatedNotifier } from "./http-notifier.ts";
import { INTEGRATIONS } from "./integrations.ts";
import { NotifyMetrics } from "./notify-metrics.ts";
import { RateLimitedNotifier } from "./rate-limited.ts";
import { ReceiverSecrets } from "./receiver-secrets.ts";
import { alertOf, NEVER, notificationOf, testContext } from "./testing/notifier-fixture.ts";
import { truncateBytes, truncateRunes } from "./truncate.ts";

function notifierWith(template: string, maxCharacters: number) {
  const registry = new Registry();
  const context = testContext({
    templates: new NotificationTemplates([], { maxCharacters, maxSteps: 100_000 }),
    metrics: new NotifyMetrics(registry),
  });
  const sent: string[] = [];
  const notifier = new TemplatedNotifier({
    kind: "webhook",
    sendsResolved: true,
    context,
    secrets: new ReceiverSecrets("/nowhere"),
    run: async (attempt) => {
      sent.push(attempt.text(template));
      return { ok: true, detail: "sent" };
    },
  });
  return { notifier, sent, registry };
}

test("a text of all alerts that would be too long is made of the first ones, and says so", async () => {
  const { notifier, sent, registry } = notifierWith("{{ range .Alerts }}{{ .Labels.job }} {{ end }}", 1_000);
  const alerts = Array.from({ length: 500 }, (_, i) => alertOf({ job: `job-${i}` }));
  for (let i = 0; i < 2; i++) {
    const result = await notifier.notify(notificationOf(alerts), NEVER);
    expect(result).toMatchObject({ ok: true, detail: expect.stringContaining("made of 50 of 500 alerts") });
  }
  expect(sent.map((text) => text.split(" ").length - 1)).toEqual([50, 50]);
  expect(await registry.metrics()).toContain('sightline_notify_reduced_total{integration="webhook"} 2');
});

test.each([
  ["is too long", '{{ printf "%5000d" 1 }}{{ range 1000 }}{{ "xxxxxxxxx" }}{{ end }}'],
  ["never ends", "{{ range 1000000000 }}{{ end }}"],
])("of few alerts, a text that %s is made without its template, and says so", async (_, template) => {
  const { notifier, sent } = notifierWith(template, 1_000);
  const alerts = Array.from({ length: 60 }, (_, i) => alertOf({ job: `job-${i}` }));
  for (const some of [alerts, alerts.slice(0, 2)]) {
    const result = await notifier.notify(notificationOf(some), NEVER);
    expect(result).toMatchObject({ ok: true, detail: expect.stringContaining("without templates") });
  }
  expect(sent).toHaveLength(2);
  expect(sent[1]).toMatch(/^FIRING \{alertname="Down", severity="critical"\}, 2 alerts: .*the template/);
});

test("a template that is wrong can't be helped", async () => {
  const { notifier } = notifierWith("{{ .Nothing }}", 1_000);
  await expect(notifier.notify(notificationOf(), NEVER)).resolves.toMatchObject({ ok: false, retry: false });
});

test("more than so many a minute are put off until there is room", async () => {
  let nowMs = 0;
  const { notifier } = notifierWith("x", 1_000);
  const limited = new RateLimitedNotifier(notifier, 2, new NotifyMetrics(new Registry()), () => nowMs);
  const notify = () => limited.notify(notificationOf(), NEVER);
  expect([await notify(), await notify(), await notify()]).toMatchObject([
    { ok: true },
    { ok: true },
    { ok: false, retry: true, retryAfterMs: 30_000 },
  ]);
  nowMs = 30_000;
  expect([await notify(), await notify()]).toMatchObject([{ ok: true }, { ok: false, retry: true }]);
});

test("every kind of receiver is known by its key", () =>
  expect([...INTEGRATIONS.keys()].sort()).toEqual(
    (
      "discord email incidentio jira mattermost msteams msteamsv2 opsgenie pagerduty pushover rocketchat slack sns " +
      "telegram twilio victorops webex webhook wechat"
    )
      .split(" ")
      .map((kind) => `${kind}_configs`),
  ));

test.each([
  ["abcdef", 6, "abcdef"],
  ["abcdef", 5, "abcd…"],
  ["äöüäöü", 5, "äöüä…"],
  ["😀😀😀😀😀", 4, "😀😀😀…"],
  ["abcdef", 3, "abc"],
  ["abcdef", 0, ""],
])("%s in %i characters is %s", (text, max, want) => expect(truncateRunes(text, max).text).toBe(want));

test.each([
  ["abcdef", 6, "abcdef"],
  ["abcdef", 5, "ab…"],
  ["äöü", 5, "ä…"],
  ["abcdef", 3, "…"],
  ["abcdef", 2, ".."],
])("%s in %i bytes is %s", (text, max, want) => expect(truncateBytes(text, max).text).toBe(want));

test("secrets are blotted out of what others say, as they are and as addresses have them", () => {
  const secrets = new ReceiverSecrets("/nowhere");
  secrets.remember("s3cret/key");
  expect(secrets.redact("s3cret/key and s3cret%2Fkey")).toBe("<secret> and <secret>");
});
