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
import { victorops } from "./victorops.ts";

const ACCEPTED = { body: { result: "success", entity_id: "x" } };

const vendor = Vendor.forTests(ACCEPTED);

const send = (entry: object = {}, alerts = [FIRING]) =>
  notifierOf(victorops, {
    api_url: `${vendor.url}/alert`,
    api_key: "k3y",
    routing_key: "team {{ .Status }}",
    ...entry,
  }).notify(notificationOf(alerts), NEVER);

test("the group's key names the incident", async () => {
  await expect(send({ custom_fields: { zone: "{{ .CommonLabels.job }}" } })).resolves.toMatchObject({ ok: true });
  expect(vendor.requests[0]?.path).toBe("/alert/k3y/team%20firing");
  expect(vendor.lastJson).toMatchObject({
    message_type: "CRITICAL",
    entity_id: GROUP_HASH,
    entity_display_name: "[FIRING:1] Down (a critical)",
    monitoring_tool: "Alertmanager",
    zone: "a",
  });
  await send({ message_type: "WARNING" });
  expect(vendor.lastJson).toMatchObject({ message_type: "WARNING" });
  await send({ message_type: "nonsense" });
  expect(vendor.lastJson).toMatchObject({ message_type: "CRITICAL" });
  await send({ message_type: "WARNING" }, [RESOLVED]);
  expect(vendor.lastJson).toMatchObject({ message_type: "RECOVERY" });
});

test.each(USUAL_FAILURES)("%s", async (_, answer, retry, detail) => {
  vendor.answers(answer);
  await expect(send()).resolves.toMatchObject({ ok: false, retry, detail });
});

test.each([
  [{}, "missing Routing key in VictorOps config"],
  [{ routing_key: "a" }, "no global VictorOps API Key set"],
  [
    { routing_key: "a", api_key: "b", custom_fields: { entity_id: "x" } },
    "victorOps config contains custom field entity_id which cannot be used as it conflicts with the fixed/static fields",
  ],
])("%j is refused: %s", (entry, problem) => expect(problemOf(victorops, entry)).toBe(problem));
