import { expect, test } from "vitest";
import { readPostedAlerts } from "./alerts-api.ts";
import { readPostedSilence } from "./silences-api.ts";

const body = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
const NOW_MS = Date.parse("2026-01-02T00:00:00Z");
const SILENCE = {
  matchers: [{ name: "a", value: "b", isRegex: false }],
  startsAt: "2026-01-02T00:00:00Z",
  endsAt: "2026-01-02T01:00:00Z",
  createdBy: "me",
  comment: "why",
};

test.each([
  ["", 422, "alerts in body is required"],
  [[{}], 422, "0.labels in body is required"],
  [[{ labels: {} }, { labels: null }], 422, "1.labels in body is required"],
  [[{ labels: { a: 5 } }], 400, "cannot unmarshal number into Go struct field Alert.labels of type string"],
  [[{ labels: [] }], 400, "cannot unmarshal array into Go struct field Alert.labels of type models.LabelSet"],
  [[{ labels: {}, startsAt: "x" }], 400, 'parsing time "x"'],
  [[{ labels: {}, endsAt: 5 }], 400, "cannot unmarshal number into Go struct field .endsAt of type string"],
  [[{ labels: {}, generatorURL: "not a url" }], 422, '0.generatorURL in body must be of type uri: "not a url"'],
  [[{ labels: {}, generatorURL: "http://[::1" }], 422, "must be of type uri"],
  [[5], 400, "cannot unmarshal number into Go value of type struct"],
])("%j as alerts: %i, %s", async (value, status, message) => {
  const error: unknown = await readPostedAlerts(body(value)).catch((thrown) => thrown);
  expect(error).toMatchObject({ status, message: expect.stringContaining(message) });
});

test.each(["http://h/x?a=<b>", "/graph?g0.expr=a%20b", "mailto:x", "https://[::1]:9090/", "http://ä.example/"])(
  "%s is an address",
  async (generatorURL) => {
    expect(await readPostedAlerts(body([{ labels: { a: "b" }, generatorURL }]))).toHaveLength(1);
  },
);

test("labels that are null are empty", async () => {
  const [alert] = await readPostedAlerts(body([{ labels: { a: null, __proto__: "x" } }]));
  expect(alert?.labels).toMatchObject({ a: "" });
});

test.each([
  [{}, 422, "comment in body is required"],
  [null, 422, "comment in body is required"],
  [{ ...SILENCE, createdBy: null }, 422, "createdBy in body is required"],
  [{ ...SILENCE, startsAt: undefined }, 422, "startsAt in body is required"],
  [{ ...SILENCE, matchers: [] }, 422, "matchers in body should have at least 1 items"],
  [{ ...SILENCE, matchers: [{ name: "a" }] }, 422, "matchers.0.isRegex in body is required"],
  [{ ...SILENCE, matchers: [{ name: "a", isRegex: true }] }, 422, "matchers.0.value in body is required"],
  [{ ...SILENCE, matchers: [{ name: 5 }] }, 400, "Go struct field Matcher.matchers.name of type string"],
  [{ ...SILENCE, annotations: { a: 5 } }, 400, "Go struct field Silence.annotations of type string"],
  [[], 400, "cannot unmarshal array into Go value"],
])("%j as a silence: %i, %s", (value, status, message) => {
  let error: unknown;
  try {
    readPostedSilence(body(value), NOW_MS);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ status, message: expect.stringContaining(message) });
});

test("a silence that is complete is read", () => {
  expect(readPostedSilence(body(SILENCE), NOW_MS)).toMatchObject({ id: "", createdBy: "me", startsAtMs: NOW_MS });
});
