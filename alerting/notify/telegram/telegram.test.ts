import { expect, test } from "vitest";
import { FIRING, NEVER, notificationOf, notifierOf, problemOf } from "../testing/notifier-fixture.ts";
import { Vendor } from "../testing/vendor.ts";
import { telegram } from "./telegram.ts";

const ACCEPTED = { body: { ok: true, result: { message_id: 7, chat: { id: -5 } } } };

const vendor = Vendor.forTests(ACCEPTED);

const send = (entry: object = {}) =>
  notifierOf(telegram, { api_url: vendor.url, bot_token: "123:t0ken", chat_id: -5, ...entry }).notify(
    notificationOf([FIRING]),
    NEVER,
  );

test("a message of HTML has its values escaped", async () => {
  await expect(
    send({ message: "<b>{{ .CommonAnnotations.summary }}</b>", message_thread_id: 3 }),
  ).resolves.toMatchObject({ ok: true });
  expect(vendor.requests[0]?.path).toBe("/bot123:t0ken/sendMessage");
  expect(vendor.lastJson).toEqual({
    chat_id: "-5",
    disable_web_page_preview: "true",
    message_thread_id: "3",
    parse_mode: "HTML",
    text: "<b>it is &lt;down&gt; &amp; out</b>",
  });
});

test("other messages are cut; half an element of HTML can't be sent", async () => {
  await send({ message: "x".repeat(5_000), parse_mode: "" });
  expect((vendor.lastJson as { text: string }).text).toBe(`${"x".repeat(4_095)}…`);
  await send({ message: "x".repeat(5_000) });
  expect((vendor.lastJson as { text: string }).text).toContain("longer than Telegram allows");
});

test.each([
  [
    "a wrong chat",
    { status: 400, body: { ok: false, error_code: 400, description: "Bad Request: chat not found" } },
    "telegram: Bad Request: chat not found (400)",
  ],
  ["a broken server", { status: 502, body: "<html>" }, "unexpected status code 502: <html>"],
])("%s is tried again, as Alertmanager does", async (_, answer, detail) => {
  vendor.answers(answer);
  await expect(send()).resolves.toEqual({ ok: false, retry: true, detail });
});

test("a flood is waited for as Telegram says", async () => {
  const body = {
    ok: false,
    error_code: 429,
    description: "Too Many Requests: retry after 9",
    parameters: { retry_after: 9 },
  };
  vendor.answers({ status: 429, body });
  await expect(send()).resolves.toMatchObject({ ok: false, retry: true, retryAfterMs: 9_000 });
});

test.each([
  [{ chat_id: 1 }, "missing bot_token or bot_token_file on telegram_config"],
  [{ bot_token: "a" }, "missing chat_id or chat_id_file on telegram_config"],
  [{ bot_token: "a", chat_id: 1, chat_id_file: "b" }, "at most one of chat_id & chat_id_file must be configured"],
  [{ bot_token: "a", bot_token_file: "b", chat_id: 1 }, "at most one of bot_token & bot_token_file must be configured"],
  [
    { bot_token: "a", chat_id: 1, parse_mode: "html" },
    "unknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty string",
  ],
])("%j is refused: %s", (entry, problem) => expect(problemOf(telegram, entry)).toBe(problem));
