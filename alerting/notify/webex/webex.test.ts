import { expect, test } from "vitest";
import { USUAL_FAILURES } from "../testing/answers.ts";
import { FIRING, NEVER, notificationOf, notifierOf, problemOf } from "../testing/notifier-fixture.ts";
import { Vendor } from "../testing/vendor.ts";
import { webex } from "./webex.ts";

const ACCEPTED = { body: { id: "x" } };
const http_config = { authorization: { credentials: "t0ken" } };

const vendor = Vendor.forTests(ACCEPTED);

const send = (entry: object = {}) =>
  notifierOf(webex, { api_url: `${vendor.url}/v1/messages`, room_id: "r00m", http_config, ...entry }).notify(
    notificationOf([FIRING]),
    NEVER,
  );

test("markdown goes to a room", async () => {
  await expect(send({ message: "m" })).resolves.toMatchObject({ ok: true });
  expect(vendor.requests[0]).toMatchObject({ path: "/v1/messages", headers: { authorization: "Bearer t0ken" } });
  expect(vendor.lastJson).toEqual({ markdown: "m", roomId: "r00m" });
});

test("a long message is cut by bytes, between characters", async () => {
  await send({ message: "ä".repeat(5_000) });
  const { markdown } = vendor.lastJson as { markdown: string };
  expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(7_439);
  expect(markdown).toBe(`${"ä".repeat(3_718)}…`);
});

test.each(USUAL_FAILURES)("%s", async (_, answer, retry, detail) => {
  vendor.answers(answer);
  await expect(send()).resolves.toMatchObject({ ok: false, retry, detail });
});

test.each([
  [{}, "missing room_id on webex_config"],
  [{ room_id: "a" }, "missing webex_configs.http_config.authorization"],
])("%j is refused: %s", (entry, problem) => expect(problemOf(webex, entry)).toBe(problem));
