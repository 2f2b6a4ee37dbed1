import { expect, test } from "vitest";
import { USUAL_FAILURES } from "../testing/answers.ts";
import {
  alertOf,
  FIRING,
  NEVER,
  notificationOf,
  notifierOf,
  problemOf,
  RESOLVED,
} from "../testing/notifier-fixture.ts";
import { Vendor } from "../testing/vendor.ts";
import { incidentio } from "./incidentio.ts";

const ACCEPTED = { status: 202, body: { status: "success" } };

const vendor = Vendor.forTests(ACCEPTED);

const send = (entry: object = {}, alerts = [FIRING]) =>
  notifierOf(incidentio, { url: `${vendor.url}/v2/alert_events`, alert_source_token: "t0ken", ...entry }).notify(
    notificationOf(alerts),
    NEVER,
  );

test("the group is posted as a webhook of version 1", async () => {
  await expect(send({ max_alerts: 1 }, [FIRING, RESOLVED])).resolves.toMatchObject({ ok: true });
  expect(vendor.requests[0]?.headers.authorization).toBe("Bearer t0ken");
  expect(vendor.lastJson).toMatchObject({ version: "1", truncatedAlerts: 1, alerts: [{ status: "firing" }] });
});

test("a group that is too large is sent with its first alert", async () => {
  const large = Array.from({ length: 60 }, (_, i) =>
    alertOf({ job: `j${i}` }, { annotations: { text: "x".repeat(10_000) } }),
  );
  await send({}, large);
  expect((vendor.lastJson as { alerts: unknown[] }).alerts).toHaveLength(1);
});

test.each(USUAL_FAILURES.filter(([what]) => !["a wrong request", "nothing there", "a broken server"].includes(what)))(
  "%s",
  async (_, answer, retry) => {
    vendor.answers(answer);
    await expect(send()).resolves.toMatchObject({ ok: false, retry });
  },
);

test("its errors are told", async () => {
  vendor.answers({ status: 422, body: { message: "invalid", error: "validation", errors: ["a", "b"] } });
  await expect(send()).resolves.toMatchObject({
    retry: false,
    detail: "unexpected status code 422: invalid: validation: a, b",
  });
});

test.each([
  [{}, "one of url or url_file must be configured"],
  [
    { url: "http://a.example", alert_source_token: "a", alert_source_token_file: "b" },
    "at most one of alert_source_token & alert_source_token_file must be configured",
  ],
  [
    { url: "http://a.example", alert_source_token: "a", http_config: { authorization: { credentials: "b" } } },
    "cannot specify alert_source_token or alert_source_token_file when using http_config.authorization",
  ],
  [
    { url: "http://a.example", http_config: {} },
    "at least one of alert_source_token, alert_source_token_file or http_config.authorization must be configured",
  ],
])("%j is refused: %s", (entry, problem) => expect(problemOf(incidentio, entry)).toBe(problem));
