import { expect, test } from "vitest";
import { FIRING, NEVER, notificationOf, notifierOf, problemOf } from "../testing/notifier-fixture.ts";
import { Vendor } from "../testing/vendor.ts";
import { wechat } from "./wechat.ts";

const ACCEPTED = (request: { readonly path: string }) =>
  request.path.includes("gettoken")
    ? { body: { errcode: 0, access_token: "acc355", expires_in: 7200 } }
    : { body: { errcode: 0, errmsg: "ok" } };

const vendor = Vendor.forTests(ACCEPTED);

const notifier = (entry: object = {}) =>
  notifierOf(wechat, {
    api_url: `${vendor.url}/cgi-bin`,
    api_secret: "s3cret",
    corp_id: "c0rp",
    to_user: "@all",
    ...entry,
  });

test("a token is asked for once", async () => {
  const told = notifier();
  await expect(told.notify(notificationOf([FIRING]), NEVER)).resolves.toMatchObject({ ok: true });
  await told.notify(notificationOf([FIRING]), NEVER);
  expect(vendor.requests.map(({ path }) => path)).toEqual([
    "/cgi-bin/gettoken?corpid=c0rp&corpsecret=s3cret",
    "/cgi-bin/message/send?access_token=acc355",
    "/cgi-bin/message/send?access_token=acc355",
  ]);
  expect(vendor.lastJson).toMatchObject({ touser: "@all", msgtype: "text", safe: "0", markdown: { content: "" } });
});

test("a token that has expired is asked for again", async () => {
  const told = notifier({ message_type: "markdown" });
  vendor.answers((request) =>
    request.path.includes("gettoken")
      ? ACCEPTED(request)
      : { body: { errcode: 42001, errmsg: "access_token expired" } },
  );
  await expect(told.notify(notificationOf(), NEVER)).resolves.toMatchObject({
    ok: false,
    retry: true,
    detail: "access_token expired",
  });
  vendor.answers(ACCEPTED);
  await expect(told.notify(notificationOf(), NEVER)).resolves.toMatchObject({ ok: true });
  expect(vendor.requests.filter(({ path }) => path.includes("gettoken"))).toHaveLength(2);
});

test.each([
  [
    "a wrong secret",
    { body: { errcode: 40001, errmsg: "invalid credential" } },
    false,
    "invalid APISecret for CorpID: c0rp",
  ],
  ["no JSON", { body: "<html>" }, false, "the answer to the request for a token is no JSON (status 200)"],
  ["a broken server", { status: 500, body: "x" }, true, "unexpected status code 500: x"],
])("asking for a token: %s", async (_, answer, retry, detail) => {
  vendor.answers(answer);
  await expect(notifier().notify(notificationOf(), NEVER)).resolves.toEqual({ ok: false, retry, detail });
});

test.each([
  [
    "nobody to tell",
    { body: { errcode: 81013, errmsg: "user & party & tag all invalid" } },
    false,
    "user & party & tag all invalid",
  ],
  ["a broken server", { status: 503, body: "" }, true, "unexpected status code 503"],
])("sending: %s", async (_, answer, retry, detail) => {
  vendor.answers((request) => (request.path.includes("gettoken") ? ACCEPTED(request) : answer));
  await expect(notifier().notify(notificationOf(), NEVER)).resolves.toEqual({ ok: false, retry, detail });
});

test.each([
  [{ corp_id: "a" }, "no global Wechat Api Secret set either inline or in a file"],
  [{ api_secret: "a" }, "no global Wechat CorpID set"],
  [
    { api_secret: "a", corp_id: "b", message_type: "x" },
    'weChat message type "x" does not match valid options ^(text|markdown)$',
  ],
])("%j is refused: %s", (entry, problem) => expect(problemOf(wechat, entry)).toBe(problem));
