import { expect, test } from "vitest";
import { USUAL_FAILURES } from "../testing/answers.ts";
import { FIRING, NEVER, notificationOf, notifierOf, problemOf } from "../testing/notifier-fixture.ts";
import { Vendor } from "../testing/vendor.ts";
import { rocketchat } from "./rocketchat.ts";

const ACCEPTED = { body: { success: true, ts: 1 } };

const vendor = Vendor.forTests(ACCEPTED);

const send = (entry: object = {}) =>
  notifierOf(rocketchat, {
    api_url: `${vendor.url}/chat/`,
    token: "t0ken",
    token_id: "1d",
    channel: "#ops",
    ...entry,
  }).notify(notificationOf([FIRING]), NEVER);

test("a message with one attachment is posted", async () => {
  const actions = [{ text: "Open", url: "http://u.example" }];
  await expect(send({ fields: [{ title: "T", value: "{{ .Status }}" }], actions })).resolves.toMatchObject({
    ok: true,
  });
  expect(vendor.requests[0]).toMatchObject({
    path: "/chat/api/v1/chat.postMessage",
    headers: { "x-auth-token": "t0ken", "x-user-id": "1d" },
  });
  expect(vendor.lastJson).toEqual({
    channel: "#ops",
    attachments: [
      {
        title: "[FIRING:1] Down (a critical)",
        title_link: "http://am.example/#/alerts?receiver=team-X",
        color: "red",
        fields: [{ short: false, title: "T", value: "firing" }],
        actions: [
          { type: "button", text: "Open", url: "http://u.example", is_webview: false, msg_in_chat_window: false },
        ],
      },
    ],
  });
});

test.each([
  [
    "a channel that is not there",
    { body: { success: false, error: "error-room-not-found" } },
    false,
    "error response from Rocketchat: error-room-not-found",
  ],
  ["an answer that is no JSON", { body: "<html>" }, true, "could not unmarshal JSON response"],
  ...USUAL_FAILURES,
] as const)("%s", async (_, answer, retry, detail) => {
  vendor.answers(answer);
  const result = await send();
  expect(result).toMatchObject({ ok: false, retry });
  expect(result.detail).toContain(detail);
});

test.each([
  [{}, "no global Rocketchat TokenID set either inline or in a file"],
  [{ token_id: "a" }, "no global Rocketchat Token set either inline or in a file"],
  [{ token_id: "a", token: "b", token_file: "c" }, "at most one of token & token_file must be configured"],
])("%j is refused: %s", (entry, problem) => expect(problemOf(rocketchat, entry)).toBe(problem));
