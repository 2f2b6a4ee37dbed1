import { expect, test } from "vitest";
import { USUAL_FAILURES } from "../testing/answers.ts";
import { FIRING, NEVER, notificationOf, notifierOf, problemOf, RESOLVED } from "../testing/notifier-fixture.ts";
import { Vendor } from "../testing/vendor.ts";
import { msteamsv2 } from "./msteamsv2.ts";

const ACCEPTED = { status: 204 };

const vendor = Vendor.forTests(ACCEPTED);

const send = (entry: object = {}, alerts = [FIRING]) =>
  notifierOf(msteamsv2, { webhook_url: `${vendor.url}/hook/s3cret`, ...entry }).notify(notificationOf(alerts), NEVER);

test("an adaptive card is sent", async () => {
  await expect(send()).resolves.toMatchObject({ ok: true });
  expect(vendor.lastJson).toMatchObject({
    type: "message",
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        contentUrl: null,
        content: {
          type: "AdaptiveCard",
          version: "1.2",
          body: [
            { type: "TextBlock", text: "[FIRING:1] Down (a critical)", color: "Attention", weight: "Bolder" },
            { type: "TextBlock", text: expect.stringContaining("# Alerts Firing:"), wrap: true },
          ],
          msteams: { width: "full" },
        },
      },
    ],
  });
  await send({}, [RESOLVED]);
  expect(JSON.stringify(vendor.lastJson)).toContain('"color":"Good"');
});

test.each([
  [{}, "one of webhook_url or webhook_url_file must be configured"],
  [
    { webhook_url: "http://a.example", webhook_url_file: "b" },
    "at most one of webhook_url & webhook_url_file must be configured",
  ],
])("%j is refused: %s", (entry, problem) => expect(problemOf(msteamsv2, entry)).toBe(problem));

test.each(USUAL_FAILURES)("%s", async (_, answer, retry, detail) => {
  vendor.answers(answer);
  const result = await send();
  expect(result).toMatchObject({ ok: false, retry });
  expect(result.detail).toContain(detail);
});
