import { describe, expect, test } from "vitest";
import { DEFAULT_GLOBAL_RECEIVER_CONFIG } from "../global-receiver-config.ts";
import { Secret } from "../secret.ts";
import { USUAL_FAILURES } from "../testing/answers.ts";
import {
  FIRING,
  NEVER,
  notificationOf,
  notifierOf,
  problemOf,
  RESOLVED,
  TestMemory,
  testContext,
} from "../testing/notifier-fixture.ts";
import { Vendor } from "../testing/vendor.ts";
import { slack } from "./slack.ts";

const ACCEPTED = { body: "ok", headers: { "content-type": "text/html" } };

const vendor = Vendor.forTests(ACCEPTED);

const send = (entry: object = {}, overrides: object = {}, alerts = [FIRING]) =>
  notifierOf(slack, { api_url: `${vendor.url}/services/T/B/s3cret`, channel: "#ops", ...entry }).notify(
    notificationOf(alerts, overrides),
    NEVER,
  );

test("an incoming webhook is sent one attachment", async () => {
  await expect(send()).resolves.toMatchObject({ ok: true });
  expect(vendor.requests[0]?.path).toBe("/services/T/B/s3cret");
  expect(vendor.lastJson).toEqual({
    channel: "#ops",
    username: "Alertmanager",
    attachments: [
      {
        title: "[FIRING:1] Down (a critical)",
        title_link: "http://am.example/#/alerts?receiver=team-X",
        text: "",
        fallback: "[FIRING:1] Down (a critical) | http://am.example/#/alerts?receiver=team-X",
        callback_id: "",
        footer: "",
        color: "danger",
        mrkdwn_in: ["fallback", "pretext", "text"],
      },
    ],
  });
});

test("resolved alerts are green", async () => {
  await send({ send_resolved: true }, {}, [RESOLVED]);
  expect(vendor.lastJson).toMatchObject({ attachments: [{ color: "good", title: "[RESOLVED] Down (b critical)" }] });
});

test("fields and actions are rendered; a link keeps nothing of a button", async () => {
  await send({
    short_fields: true,
    fields: [
      { title: "Status", value: "{{ .Status }}" },
      { title: "x", value: "y", short: false },
    ],
    actions: [
      {
        type: "button",
        text: "Runbook",
        url: "http://r.example/{{ .GroupLabels.alertname }}",
        name: "gone",
        value: "gone",
      },
      { type: "button", text: "Ack", name: "ack", value: "{{ .Status }}", confirm: { text: "Sure?" } },
    ],
  });
  expect(vendor.lastJson).toMatchObject({
    attachments: [
      {
        fields: [
          { title: "Status", value: "firing", short: true },
          { title: "x", value: "y", short: false },
        ],
        actions: [
          { type: "button", text: "Runbook", url: "http://r.example/Down" },
          { type: "button", text: "Ack", name: "ack", value: "firing", confirm: { text: "Sure?" } },
        ],
      },
    ],
  });
});

test("a long title is cut to what Slack takes", async () => {
  await send({ title: "x".repeat(2_000) });
  const { attachments } = vendor.lastJson as { attachments: { title: string }[] };
  expect(attachments[0]?.title).toBe(`${"x".repeat(1_023)}…`);
});

describe("with a token", () => {
  const global = () => ({
    ...DEFAULT_GLOBAL_RECEIVER_CONFIG,
    slack_app_url: `${vendor.url}/api/chat.postMessage`,
    slack_app_token: new Secret("xoxb-s3cret"),
  });
  const notifier = () =>
    notifierOf(slack, { channel: "#ops", update_message: true, app_token: "xoxb-own" }, testContext(), global());

  test("the first message is posted, later ones update it", async () => {
    const memory = new TestMemory();
    vendor.answers({ body: { ok: true, ts: "17.5", channel: "C024" } });
    await notifier().notify(notificationOf([FIRING], { memory }), NEVER);
    expect(vendor.requests[0]).toMatchObject({
      path: "/api/chat.postMessage",
      headers: { authorization: "Bearer xoxb-own" },
    });
    expect(Object.fromEntries(memory.kept)).toEqual({ threadTs: "17.5", channelId: "C024" });
    await notifier().notify(notificationOf([RESOLVED], { memory }), NEVER);
    expect(vendor.requests[1]?.path).toBe("/api/chat.update");
    expect(vendor.lastJson).toMatchObject({ channel: "C024", ts: "17.5" });
  });

  test("the global token is for entries that say nothing else", async () => {
    vendor.answers({ body: { ok: true } });
    await notifierOf(slack, {}, testContext(), global()).notify(notificationOf(), NEVER);
    expect(vendor.requests[0]?.headers.authorization).toBe("Bearer xoxb-s3cret");
  });
});

test.each([
  [
    "a channel that is not there",
    { body: { ok: false, error: "channel_not_found" } },
    false,
    "error response from Slack: channel_not_found",
  ],
  ["a webhook that was removed", { body: "no_service" }, false, "received an error response from Slack: no_service"],
  [
    "JSON that is none",
    { body: "{", headers: { "content-type": "application/json" } },
    true,
    "could not unmarshal JSON response",
  ],
  ["429 without a time", { status: 429, body: "x" }, false, "unexpected status code 429: x"],
  ...USUAL_FAILURES,
] as const)("%s", async (_, answer, retry, detail) => {
  vendor.answers(answer);
  const result = await send();
  expect(result).toMatchObject({ ok: false, retry });
  expect(result.detail).toContain(`channel "#ops": ${detail}`);
});

test.each([
  [{}, "no Slack API URL nor App token set either inline or in a file"],
  [{ api_url: "http://a.example", api_url_file: "b" }, "at most one of api_url & api_url_file must be configured"],
  [{ app_token: "a", app_token_file: "b" }, "at most one of app_token & app_token_file must be configured"],
  [
    { api_url: "http://a.example", app_token: "b" },
    "at most one of api_url/api_url_file & app_token/app_token_file must be configured",
  ],
  [
    { api_url: "http://a.example", update_message: true },
    "update_message can only be used with bot tokens. api_url must be set to https://slack.com/api/chat.postMessage",
  ],
  [{ api_url: "http://a.example", fields: [{ title: "a" }] }, "missing value in Slack field configuration"],
  [
    { api_url: "http://a.example", actions: [{ type: "a", text: "b" }] },
    "missing name or url in Slack action configuration",
  ],
  [
    { app_token: "a", http_config: { authorization: { credentials: "b" } } },
    "http authorization can't be set when using Slack App tokens",
  ],
])("%j is refused: %s", (entry, problem) => expect(problemOf(slack, entry)).toBe(problem));
