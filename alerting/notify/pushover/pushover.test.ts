import { expect, test } from "vitest";
import { USUAL_FAILURES } from "../testing/answers.ts";
import { FIRING, NEVER, notificationOf, notifierOf, problemOf, RESOLVED } from "../testing/notifier-fixture.ts";
import { Vendor } from "../testing/vendor.ts";
import { pushover, pushoverIntegration } from "./pushover.ts";

const ACCEPTED = { body: { status: 1, request: "x" } };

const vendor = Vendor.forTests(ACCEPTED);

const send = (entry: object = {}, alerts = [FIRING]) =>
  notifierOf(pushoverIntegration(`${vendor.url}/1/messages.json`), {
    token: "t0ken",
    user_key: "u53r",
    ...entry,
  }).notify(notificationOf(alerts), NEVER);
const parameters = () => Object.fromEntries(new URL(vendor.requests.at(-1)?.path ?? "", vendor.url).searchParams);

test("firing alerts are an emergency that is repeated, resolved ones are not", async () => {
  await expect(send({ message: "m", url: "http://u.example", ttl: "90s" })).resolves.toMatchObject({ ok: true });
  expect(vendor.requests[0]?.method).toBe("POST");
  expect(parameters()).toEqual({
    token: "t0ken",
    user: "u53r",
    title: "[FIRING:1] Down (a critical)",
    message: "m",
    url: "http://u.example",
    url_title: "",
    priority: "2",
    retry: "60",
    expire: "3600",
    device: "",
    sound: "",
    ttl: "90",
  });
  await send({}, [RESOLVED]);
  expect(parameters()).toMatchObject({ priority: "0" });
});

test("texts are cut to what Pushover takes, and there is always one", async () => {
  const long = "x".repeat(5_000);
  await send({ title: long, message: long, url: long });
  expect([parameters().title, parameters().message, parameters().url].map((text) => text?.length)).toEqual([
    250, 1_024, 512,
  ]);
  await send({ message: "  {{ .CommonLabels.nope }} " });
  expect(parameters()).toMatchObject({ message: "(no details)" });
});

test("HTML has its values escaped", async () => {
  await send({ html: true, message: "<b>{{ .CommonAnnotations.summary }}</b>" });
  expect(parameters()).toMatchObject({ html: "1", message: "<b>it is &lt;down&gt; &amp; out</b>" });
});

test.each(USUAL_FAILURES)("%s", async (_, answer, retry, detail) => {
  vendor.answers(answer);
  await expect(send()).resolves.toMatchObject({ ok: false, retry, detail });
});

test("nobody there: neither address nor keys are told", async () => {
  const gone = await Vendor.start();
  const { url } = gone;
  await gone.stop();
  const result = await notifierOf(pushoverIntegration(url), { token: "t0ken", user_key: "u53r" }).notify(
    notificationOf(),
    NEVER,
  );
  expect(result).toMatchObject({ ok: false, retry: true });
  expect(result.detail).not.toMatch(/t0ken|u53r/);
});

test.each([
  [{}, "one of user_key or user_key_file must be configured"],
  [{ user_key: "a" }, "one of token or token_file must be configured"],
  [{ user_key: "a", user_key_file: "b", token: "c" }, "at most one of user_key & user_key_file must be configured"],
  [{ user_key: "a", token: "c", html: true, monospace: true }, "at most one of monospace & html must be configured"],
])("%j is refused: %s", (entry, problem) => expect(problemOf(pushover, entry)).toBe(problem));
