import { expect, test } from "vitest";
import { USUAL_FAILURES } from "../testing/answers.ts";
import { FIRING, NEVER, notificationOf, notifierOf, problemOf, RESOLVED } from "../testing/notifier-fixture.ts";
import { Vendor } from "../testing/vendor.ts";
import { discord } from "./discord.ts";

const ACCEPTED = { status: 204 };

const vendor = Vendor.forTests(ACCEPTED);

const send = (entry: object = {}, alerts = [FIRING]) =>
  notifierOf(discord, { webhook_url: `${vendor.url}/hook/s3cret`, ...entry }).notify(notificationOf(alerts), NEVER);

test("an embed is red while it fires and green after", async () => {
  await expect(send({ username: "bot", avatar_url: "no address" })).resolves.toMatchObject({ ok: true });
  expect(vendor.requests[0]?.path).toBe("/hook/s3cret");
  expect(vendor.lastJson).toEqual({
    content: "",
    embeds: [
      {
        title: "[FIRING:1] Down (a critical)",
        description: expect.stringContaining("Alerts Firing:\nLabels:\n - alertname = Down\n"),
        color: 0x992d22,
      },
    ],
    username: "bot",
  });
  await send({}, [RESOLVED]);
  expect(vendor.lastJson).toMatchObject({ embeds: [{ color: 0x2ecc71 }] });
});

test("texts are cut to what Discord takes", async () => {
  const long = "x".repeat(5_000);
  await send({ content: long, title: long, message: long });
  const { content, embeds } = vendor.lastJson as { content: string; embeds: { title: string; description: string }[] };
  expect([content, embeds[0]?.title, embeds[0]?.description].map((text) => text?.length)).toEqual([2_000, 256, 4_096]);
});

test.each([
  [{}, "one of webhook_url or webhook_url_file must be configured"],
  [
    { webhook_url: "http://a.example", webhook_url_file: "b" },
    "at most one of webhook_url & webhook_url_file must be configured",
  ],
])("%j is refused: %s", (entry, problem) => expect(problemOf(discord, entry)).toBe(problem));

test.each(USUAL_FAILURES)("%s", async (_, answer, retry, detail) => {
  vendor.answers(answer);
  const result = await send();
  expect(result).toMatchObject({ ok: false, retry });
  expect(result.detail).toContain(detail);
});
