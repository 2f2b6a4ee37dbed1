import { writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  FIRING,
  NEVER,
  notificationOf,
  notifierOf,
  problemOf,
  RESOLVED,
  testContext,
} from "../testing/notifier-fixture.ts";
import { Vendor } from "../testing/vendor.ts";
import { webhook } from "./webhook.ts";

const vendor = Vendor.forTests();

const send = (entry: object, alerts = [FIRING], context = testContext()) =>
  notifierOf(webhook, { url: `${vendor.url}/hook`, ...entry }, context).notify(notificationOf(alerts), NEVER);

test("the body is version 4 of the format, byte for byte as Go writes it", async () => {
  await expect(send({}, [FIRING, RESOLVED])).resolves.toEqual({ ok: true, detail: "status 200" });
  const [request] = vendor.requests;
  expect(request).toMatchObject({ method: "POST", path: "/hook" });
  expect(request?.headers["content-type"]).toBe("application/json");
  expect(request?.body).toBe(
    '{"receiver":"team-X","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"Down","job":"a",' +
      '"severity":"critical"},"annotations":{"summary":"it is \\u003cdown\\u003e \\u0026 out"},' +
      '"startsAt":"2026-01-02T03:00:00Z","endsAt":"0001-01-01T00:00:00Z",' +
      '"generatorURL":"http://prom.example/graph?g0.expr=up","fingerprint":"6bda3bec4068801e"},' +
      '{"status":"resolved","labels":{"alertname":"Down","job":"b","severity":"critical"},' +
      '"annotations":{"summary":"it is \\u003cdown\\u003e \\u0026 out"},"startsAt":"2026-01-02T03:00:00Z",' +
      '"endsAt":"2026-01-02T03:03:00Z","generatorURL":"http://prom.example/graph?g0.expr=up",' +
      '"fingerprint":"94adb4e217139d81"}],"notification_reason":"first notification",' +
      '"groupLabels":{"alertname":"Down"},"commonLabels":{"alertname":"Down","severity":"critical"},' +
      '"commonAnnotations":{"summary":"it is \\u003cdown\\u003e \\u0026 out"},"routeLabels":{},' +
      '"externalURL":"http://am.example","version":"4",' +
      '"groupKey":"{}/{severity=\\"critical\\"}:{alertname=\\"Down\\"}","truncatedAlerts":0}\n',
  );
});

test("max_alerts leaves the others out and says how many", async () => {
  await send({ max_alerts: 1 }, [FIRING, RESOLVED]);
  expect(vendor.lastJson).toMatchObject({ truncatedAlerts: 1, alerts: [{ status: "firing" }] });
});

test("the payload can be anything, with templates in its keys and texts", async () => {
  const payload = {
    "{{ .Status }}": "{{ .Alerts | len }}",
    text: "value1: {{ .GroupLabels.alertname }}",
    list: ["a", 1, null, true],
    all: "{{ .CommonLabels | toJson }}",
    nested: { b: 1, a: "x: y: z" },
    day: "2026-01-01",
    time: "1:30",
    answer: "yes",
  };
  await send({ payload });
  expect(vendor.lastJson).toEqual({
    firing: 1,
    text: { value1: "Down" },
    list: ["a", 1, null, true],
    all: { alertname: "Down", job: "a", severity: "critical" },
    nested: { b: 1, a: "x: y: z" },
    day: "2026-01-01",
    time: "1:30",
    answer: true,
  });
});

test("the address may be a template", async () => {
  await send({ url: `${vendor.url}/{{ .GroupLabels.alertname }}/{{ .CommonLabels.severity }}` });
  expect(vendor.requests[0]?.path).toBe("/Down/critical");
});

test.each([
  ["{{ .Nope }}", "failed to template webhook URL: template: "],
  ["{{ if .CommonLabels.nope }}http://a.example{{ end }}", "webhook URL is empty after templating"],
])("an address that can't be made ends the notification: %s", async (url, detail) => {
  const result = await send({ url });
  expect(result).toMatchObject({ ok: false, retry: false });
  expect(result.detail).toContain(detail);
});

test("the address can be in a file, which is read each time", async () => {
  const dir = await mkdtemp(join(tmpdir(), "webhook-"));
  const notifier = notifierOf(webhook, { url_file: "url" }, testContext({ configDir: dir }));
  await expect(notifier.notify(notificationOf(), NEVER)).resolves.toMatchObject({ ok: false, retry: false });
  writeFileSync(join(dir, "url"), `${vendor.url}/from-file\n`);
  await expect(notifier.notify(notificationOf(), NEVER)).resolves.toMatchObject({ ok: true });
  expect(vendor.requests[0]?.path).toBe("/from-file");
});

describe("answers", () => {
  test.each([
    [200, true, false],
    [204, true, false],
    [400, false, false],
    [404, false, false],
    [429, false, false],
    [500, false, true],
    [503, false, true],
  ])("status %i", async (status, ok, retry) => {
    vendor.answers({ status, body: { why: "because" } });
    const result = await send({});
    expect(result.ok).toBe(ok);
    if (!result.ok)
      expect(result).toMatchObject({ retry, detail: `unexpected status code ${status}: {"why":"because"}` });
  });

  test("the time to wait is passed on", async () => {
    vendor.answers({ status: 503, headers: { "retry-after": "7" } });
    await expect(send({})).resolves.toMatchObject({ retry: true, retryAfterMs: 7_000 });
  });

  test("nobody there is tried again, and the address is not told", async () => {
    const gone = await Vendor.start();
    const { url } = gone;
    await gone.stop();
    const result = await send({ url: `${url}/s3cret-path` });
    expect(result).toMatchObject({ ok: false, retry: true });
    expect(result.detail).toContain("ECONNREFUSED");
    expect(result.detail).not.toContain("s3cret");
  });

  test("the receiver's own timeout ends one attempt", async () => {
    vendor.answers(() => new Promise(() => {}));
    await expect(send({ timeout: "20ms" })).resolves.toMatchObject({
      ok: false,
      retry: true,
      detail: "no answer within 20 ms",
    });
  });

  test("the caller's signal ends it, too", async () => {
    vendor.answers(() => new Promise(() => {}));
    const stop = new AbortController();
    const sent = notifierOf(webhook, { url: vendor.url }).notify(notificationOf(), stop.signal);
    stop.abort(new Error("shut down"));
    await expect(sent).rejects.toThrow("shut down");
  });

  test("a long answer is not read to its end", async () => {
    vendor.answers({ status: 400, body: "x".repeat(1_000_000) });
    const result = await send({});
    expect(result.detail.length).toBeLessThan(1_100);
  });
});

test.each([
  [{}, "one of url or url_file must be configured"],
  [{ url: "http://a.example", url_file: "b" }, "at most one of url & url_file must be configured"],
  [{ url: "ftp://a.example" }, 'invalid URL: unsupported scheme "ftp" for URL'],
  [{ url: "http://" }, "invalid URL: missing host for URL"],
  [{ url: "http://a.example", timeout: "5x" }, 'time: unknown unit "x" in duration "5x"'],
  [{ url: "http://a.example", timeout: 5 }, ""],
  [{ url: "http://a.example", send_resolved: "yes" }, ""],
  [{ url: "http://a.example/{{ .X" }, "invalid template syntax: template: :1: unclosed action"],
  [{ url: "http://a.example/{{ .Status }}" }, ""],
  [
    { url: "http://a.example", http_config: { bearer_token: "foo", bearer_token_file: "/tmp/bar" } },
    "at most one of bearer_token & bearer_token_file must be configured",
  ],
])("%j is refused as Alertmanager does: %s", (entry, problem) => expect(problemOf(webhook, entry)).toBe(problem));

test("a parsed entry shows no secret", () => {
  const entry = webhook.schema.parse({
    url: "http://a.example/s3cret",
    http_config: { basic_auth: { username: "foo", password: "supersecret" } },
  });
  expect(JSON.stringify(entry)).not.toMatch(/s3cret|supersecret/);
});
