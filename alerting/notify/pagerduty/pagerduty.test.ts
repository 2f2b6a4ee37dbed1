import { describe, expect, test } from "vitest";
import {
  FIRING,
  GROUP_HASH,
  NEVER,
  notificationOf,
  notifierOf,
  problemOf,
  RESOLVED,
} from "../testing/notifier-fixture.ts";
import { Vendor } from "../testing/vendor.ts";
import { pagerduty, pagerdutyIntegration } from "./pagerduty.ts";

/** As PagerDuty answers what it has queued. */
const ACCEPTED = { status: 202, body: { status: "success", message: "Event processed", dedup_key: "x" } };

const vendor = Vendor.forTests(ACCEPTED);

const KEY = "0123456789abcdef0123456789abcdef";
const send = (entry: object = {}, alerts = [FIRING]) =>
  notifierOf(pagerduty, { routing_key: KEY, url: `${vendor.url}/v2/enqueue`, ...entry }).notify(
    notificationOf(alerts),
    NEVER,
  );

test("a firing group triggers an alert that the group's key names", async () => {
  await expect(send()).resolves.toMatchObject({ ok: true });
  expect(vendor.requests[0]).toMatchObject({ method: "POST", path: "/v2/enqueue" });
  expect(vendor.lastJson).toEqual({
    routing_key: KEY,
    dedup_key: GROUP_HASH,
    event_action: "trigger",
    payload: {
      summary: "[FIRING:1] Down (a critical)",
      source: "Alertmanager",
      severity: "error",
      custom_details: {
        firing: [expect.objectContaining({ status: "firing" })],
        resolved: [],
        num_firing: 1,
        num_resolved: 0,
      },
    },
    client: "Alertmanager",
    client_url: "http://am.example/#/alerts?receiver=team-X",
  });
});

test("resolved alerts resolve it", async () => {
  await send({}, [RESOLVED]);
  expect(vendor.lastJson).toMatchObject({ event_action: "resolve", dedup_key: GROUP_HASH });
});

test("images and links without an address are left out", async () => {
  await send({ images: [{ src: "" }, { src: "http://i.example" }], links: [{ href: "{{ .CommonLabels.nope }}" }] });
  expect(vendor.lastJson).toMatchObject({ images: [{ src: "http://i.example", alt: "", href: "" }] });
  expect(vendor.lastJson).not.toHaveProperty("links");
});

test("a long summary is cut, and details that are too large are left out", async () => {
  await send({
    description: "x".repeat(2_000),
    details: { large: "y".repeat(60_000), b: "{{ .Status }}", c: Array(10).fill("z".repeat(60_000)) },
  });
  const { payload } = vendor.lastJson as { payload: { summary: string; custom_details: object } };
  expect([...payload.summary]).toHaveLength(1_024);
  expect(payload.custom_details).toEqual({
    error: "Custom details have been removed because the original event exceeds the maximum size of 512KB",
  });
});

test.each([
  [
    "an invalid event",
    {
      status: 400,
      body: { status: "invalid event", message: "Event object is invalid", errors: ["'summary' is missing", "x"] },
    },
    false,
    "unexpected status code 400: Event object is invalid: 'summary' is missing,x",
  ],
  ["too many events", { status: 429, body: "slow down" }, true, "unexpected status code 429"],
  ["a server that is down", { status: 503, body: "" }, true, "unexpected status code 503"],
  ["a wrong key", { status: 403, body: "" }, false, "unexpected status code 403"],
])("%s", async (_, answer, retry, detail) => {
  vendor.answers(answer);
  await expect(send()).resolves.toMatchObject({ ok: false, retry, detail });
});

test("a service key goes to version 1, which answers 403 to too many events", async () => {
  const entry = { service_key: "s3rvice", client: "{{ .Status }}" };
  const notifier = notifierOf(pagerdutyIntegration({ eventsV1Url: `${vendor.url}/v1` }), entry);
  await notifier.notify(notificationOf(), NEVER);
  expect(vendor.lastJson).toMatchObject({
    service_key: "s3rvice",
    incident_key: GROUP_HASH,
    event_type: "trigger",
    client: "firing",
  });
  vendor.answers({ status: 403 });
  await expect(notifier.notify(notificationOf(), NEVER)).resolves.toMatchObject({ ok: false, retry: true });
});

test("a key that renders to nothing ends the notification", async () => {
  await expect(send({ routing_key: "{{ .CommonLabels.nope }}" })).resolves.toMatchObject({
    ok: false,
    retry: false,
    detail: "routing key cannot be empty",
  });
});

test.each([
  [{}, "missing service or routing key in PagerDuty config"],
  [{ routing_key: "a", routing_key_file: "b" }, "at most one of routing_key & routing_key_file must be configured"],
  [{ service_key: "a", service_key_file: "b" }, "at most one of service_key & service_key_file must be configured"],
  [{ routing_key: 12345 }, ""],
])("%j is refused: %s", (entry, problem) => expect(problemOf(pagerduty, entry)).toBe(problem));

describe("secrets", () => {
  test("an answer that says the key is not told on", async () => {
    vendor.answers({ status: 400, body: { message: `no such key ${KEY}`, errors: [] } });
    const result = await send();
    expect(result.detail).toContain("no such key <secret>");
  });
});
