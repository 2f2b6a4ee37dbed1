import { expect, test } from "vitest";
import { USUAL_FAILURES } from "../testing/answers.ts";
import { FIRING, NEVER, notificationOf, notifierOf, problemOf, RESOLVED } from "../testing/notifier-fixture.ts";
import { Vendor } from "../testing/vendor.ts";
import { msteams } from "./msteams.ts";

const ACCEPTED = { status: 204 };

const vendor = Vendor.forTests(ACCEPTED);

const send = (entry: object = {}, alerts = [FIRING]) =>
  notifierOf(msteams, { webhook_url: `${vendor.url}/hook/s3cret`, ...entry }).notify(notificationOf(alerts), NEVER);

test("a message card is sent", async () => {
  await expect(send()).resolves.toMatchObject({ ok: true });
  expect(vendor.lastJson).toMatchObject({
    "@context": "http://schema.org/extensions",
    type: "MessageCard",
    title: "[FIRING:1] Down (a critical)",
    summary: "[FIRING:1] Down (a critical)",
    themeColor: "8C1A1A",
  });
  await send({}, [RESOLVED]);
  expect(vendor.lastJson).toMatchObject({ themeColor: "2DC72D" });
});

test.each([
  [{}, "one of webhook_url or webhook_url_file must be configured"],
  [
    { webhook_url: "http://a.example", webhook_url_file: "b" },
    "at most one of webhook_url & webhook_url_file must be configured",
  ],
])("%j is refused: %s", (entry, problem) => expect(problemOf(msteams, entry)).toBe(problem));

test.each(USUAL_FAILURES)("%s", async (_, answer, retry, detail) => {
  vendor.answers(answer);
  const result = await send();
  expect(result).toMatchObject({ ok: false, retry });
  expect(result.detail).toContain(detail);
});
