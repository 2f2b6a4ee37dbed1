import { expect, test } from "vitest";
import { USUAL_FAILURES } from "../testing/answers.ts";
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
import { opsgenie } from "./opsgenie.ts";

const ACCEPTED = { status: 202, body: { result: "Request will be processed", took: 0.1, requestId: "x" } };

const vendor = Vendor.forTests(ACCEPTED);

const send = (entry: object = {}, alerts = [FIRING]) =>
  notifierOf(opsgenie, { api_key: "g3nie", api_url: `${vendor.url}/ops`, ...entry }).notify(
    notificationOf(alerts),
    NEVER,
  );

test("a firing group makes an alert", async () => {
  await expect(send({ tags: "a, b,,", priority: "P1", details: { team: "{{ .Status }}" } })).resolves.toMatchObject({
    ok: true,
  });
  expect(vendor.requests[0]).toMatchObject({
    method: "POST",
    path: "/ops/v2/alerts",
    headers: { authorization: "GenieKey g3nie" },
  });
  expect(vendor.lastJson).toMatchObject({
    alias: GROUP_HASH,
    message: "[FIRING:1] Down (a critical)",
    details: { alertname: "Down", job: "a", severity: "critical", team: "firing" },
    source: "http://am.example/#/alerts?receiver=team-X",
    tags: ["a", " b"],
    priority: "P1",
  });
});

test("resolved alerts close it", async () => {
  await send({}, [RESOLVED]);
  expect(vendor.requests[0]?.path).toBe(`/ops/v2/alerts/${GROUP_HASH}/close?identifierType=alias`);
  expect(vendor.lastJson).toEqual({ source: "http://am.example/#/alerts?receiver=team-X" });
});

test("an alert that is there is updated on request", async () => {
  await send({ update_alerts: true, description: "d" });
  expect(vendor.requests.map(({ method, path, body }) => [method, path, body.trim()]).slice(1)).toEqual([
    ["PUT", `/ops/v2/alerts/${GROUP_HASH}/message?identifierType=alias`, '{"message":"[FIRING:1] Down (a critical)"}'],
    ["PUT", `/ops/v2/alerts/${GROUP_HASH}/description?identifierType=alias`, '{"description":"d"}'],
  ]);
});

test("responders may come from labels: empty ones are nobody, teams are many", async () => {
  await send({
    responders: [
      { name: "{{ .CommonLabels.nope }}", type: "{{ .CommonLabels.nope }}" },
      { name: "a,b", type: "teams" },
      { username: "me@x.example", type: "user" },
    ],
  });
  expect(vendor.lastJson).toMatchObject({
    responders: [
      { name: "a", type: "team" },
      { name: "b", type: "team" },
      { username: "me@x.example", type: "user" },
    ],
  });
});

test("a long message is cut to 130 characters", async () => {
  await send({ message: "ä".repeat(200) });
  expect(vendor.lastJson).toMatchObject({ message: `${"ä".repeat(129)}…` });
});

test.each([
  ["429 without a time", { status: 429, body: "" }, true, "unexpected status code 429"] as const,
  ...USUAL_FAILURES,
])("%s", async (_, answer, retry, detail) => {
  vendor.answers(answer);
  await expect(send()).resolves.toMatchObject({ ok: false, retry, detail });
});

test.each([
  [{}, "no global OpsGenie API Key set either inline or in a file"],
  [{ api_key: "a", api_key_file: "b" }, "at most one of api_key & api_key_file must be configured"],
  [
    { api_key: "a", responders: [{ type: "user" }] },
    "opsGenieConfig responder {   user} has to have at least one of id, username or name specified",
  ],
  [
    { api_key: "a", responders: [{ name: "n", type: "x" }] },
    "opsGenieConfig responder { n  x} type does not match valid options ^(team|teams|user|escalation|schedule)$",
  ],
])("%j is refused: %s", (entry, problem) => expect(problemOf(opsgenie, entry)).toBe(problem));
