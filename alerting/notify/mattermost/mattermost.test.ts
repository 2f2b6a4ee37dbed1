import { expect, test } from "vitest";
import { USUAL_FAILURES } from "../testing/answers.ts";
import { FIRING, NEVER, notificationOf, notifierOf, problemOf, RESOLVED } from "../testing/notifier-fixture.ts";
import { Vendor } from "../testing/vendor.ts";
import { mattermost } from "./mattermost.ts";

const ACCEPTED = { status: 204 };

const vendor = Vendor.forTests(ACCEPTED);

const send = (entry: object = {}, alerts = [FIRING]) =>
  notifierOf(mattermost, { webhook_url: `${vendor.url}/hook/s3cret`, ...entry }).notify(notificationOf(alerts), NEVER);

test("the text is that of one attachment, or stands above those that are configured", async () => {
  await expect(
    send({ text: "hi", priority: { priority: "URGENT", persistent_notifications: true } }),
  ).resolves.toMatchObject({ ok: true });
  expect(vendor.lastJson).toMatchObject({
    username: "Alertmanager",
    attachments: [{ text: "hi", color: "danger", title: "[FIRING:1] Down (a critical)" }],
    priority: { priority: "urgent", persistent_notifications: true },
  });
  await send({ text: "hi", attachments: [{ pretext: "p" }] }, [RESOLVED]);
  expect(vendor.lastJson).toMatchObject({ text: "hi", attachments: [{ pretext: "p" }] });
});

test("what a priority does not allow is left out", async () => {
  await send({ priority: { priority: "loud", requested_ack: true, persistent_notifications: true } });
  expect(vendor.lastJson).toMatchObject({ priority: { priority: "standard" } });
  expect((vendor.lastJson as { priority: object }).priority).not.toHaveProperty("requested_ack");
});

test.each([
  [{}, "missing webhook_url or webhook_url_file on mattermost_config"],
  [{ webhook_url: "http://a.example", fields: [{ title: "t" }] }, "missing value in Mattermost field configuration"],
])("%j is refused: %s", (entry, problem) => expect(problemOf(mattermost, entry)).toBe(problem));

test.each(USUAL_FAILURES)("%s", async (_, answer, retry, detail) => {
  vendor.answers(answer);
  const result = await send();
  expect(result).toMatchObject({ ok: false, retry });
  expect(result.detail).toContain(detail);
});
