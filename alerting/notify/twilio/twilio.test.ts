import { expect, test } from "vitest";
import { FIRING, NEVER, notificationOf, notifierOf, problemOf } from "../testing/notifier-fixture.ts";
import { Vendor } from "../testing/vendor.ts";
import { twilio } from "./twilio.ts";

const ACCEPTED = { status: 201, body: { sid: "SM1", status: "queued" } };

const vendor = Vendor.forTests(ACCEPTED);

const notifier = (entry: object = {}) =>
  notifierOf(twilio, {
    api_url: vendor.url,
    account_sid: "AC1",
    auth_token: "t0ken",
    from: "+1555",
    to: ["+1", "+2"],
    ...entry,
  });
const numbers = () => vendor.requests.map(({ body }) => new URLSearchParams(body).get("To"));

test("each number is sent a short message", async () => {
  await expect(notifier().notify(notificationOf([FIRING]), NEVER)).resolves.toEqual({ ok: true, detail: "2 sent" });
  expect(vendor.requests[0]).toMatchObject({
    path: "/2010-04-01/Accounts/AC1/Messages.json",
    headers: { authorization: `Basic ${Buffer.from("AC1:t0ken").toString("base64")}` },
  });
  expect(Object.fromEntries(new URLSearchParams(vendor.requests[0]?.body))).toEqual({
    To: "+1",
    From: "+1555",
    Body: "[FIRING:1] Down (a critical): it is <down> & out",
  });
});

test("a message is cut to what Twilio takes", async () => {
  await notifier({ message: "x".repeat(2_000) }).notify(notificationOf(), NEVER);
  expect(new URLSearchParams(vendor.requests[0]?.body).get("Body")).toHaveLength(1_600);
});

test("one wrong number does not keep the others from being told", async () => {
  const body = { code: 21211, message: "The 'To' number is not a valid phone number.", status: 400 };
  vendor.answers((request) => (request.body.includes("To=%2B1&") ? { status: 400, body } : ACCEPTED));
  await expect(notifier().notify(notificationOf(), NEVER)).resolves.toEqual({
    ok: false,
    retry: false,
    detail: "unexpected status code 400: 21211 The 'To' number is not a valid phone number.",
  });
  expect(numbers()).toEqual(["+1", "+2"]);
});

test("another attempt tells only those who were not told", async () => {
  const told = notifier();
  vendor.answers((request) => (request.body.includes("To=%2B1&") ? { status: 429, body: { code: 20429 } } : ACCEPTED));
  await expect(told.notify(notificationOf(), NEVER)).resolves.toMatchObject({ ok: false, retry: true });
  vendor.answers(ACCEPTED);
  await expect(told.notify(notificationOf(), NEVER)).resolves.toMatchObject({ ok: true });
  expect(numbers()).toEqual(["+1", "+2", "+1"]);
});

test.each([
  [{}, "missing account_sid on twilio_config"],
  [{ account_sid: "a", from: "b", to: ["c"] }, "one of auth_token or auth_token_file must be configured"],
  [{ account_sid: "a", auth_token: "t", to: ["c"] }, "one of from or messaging_service_sid must be configured"],
  [{ account_sid: "a", auth_token: "t", from: "b" }, "missing to on twilio_config"],
])("%j is refused: %s", (entry, problem) => expect(problemOf(twilio, entry)).toBe(problem));
