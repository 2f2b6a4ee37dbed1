import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { Registry } from "prom-client";
import { afterEach, expect, test } from "vitest";
import type { PostedAlert } from "../alert-sink.ts";
import { AlertNotifier } from "./alert-notifier.ts";
import { AlertmanagerClient } from "./alertmanager-client.ts";

const alert = (name: string): PostedAlert => ({
  labels: { alertname: name },
  annotations: { a: "b" },
  startsAtMs: 1_790_000_000_000,
  endsAtMs: 1_790_000_000_500,
  generatorUrl: "http://here/graph",
});

let server: Server | undefined;
afterEach(() => server?.close());

type Received = { readonly url: string; readonly tenant: string; readonly alerts: object[] };

async function receiver(status = 200): Promise<{ readonly url: string; readonly received: Received[] }> {
  const received: Received[] = [];
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const tenant = String(request.headers["x-scope-orgid"]);
    received.push({ url: request.url ?? "", tenant, alerts: JSON.parse(Buffer.concat(chunks).toString()) });
    response.writeHead(status).end("answer");
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/am/`, received };
}

const client = (url: string) => new AlertmanagerClient({ url, timeout_ms: 5_000, headers: {} });

test("alerts reach an Alertmanager as its API wants them, those of each tenant by themselves", async () => {
  const { url, received } = await receiver();
  const notifier = new AlertNotifier({ sinks: [client(url)], queueCapacity: 1_000, logger: SILENT_LOGGER });
  const many = Array.from({ length: 100 }, (_, i) => alert(`A${i}`));
  notifier.notify(DEFAULT_TENANT, many);
  notifier.notify(tenantId("other"), [alert("B")]);
  await notifier.drain();
  expect(received.map(({ url, tenant, alerts }) => [url, tenant, alerts.length])).toEqual([
    ["/am/api/v2/alerts", "default", 64],
    ["/am/api/v2/alerts", "default", 36],
    ["/am/api/v2/alerts", "other", 1],
  ]);
  expect(received[2]?.alerts[0]).toEqual({
    labels: { alertname: "B" },
    annotations: { a: "b" },
    startsAt: "2026-09-21T14:13:20.000Z",
    endsAt: "2026-09-21T14:13:20.500Z",
    generatorURL: "http://here/graph",
  });
});

test("what is not taken and what there is no room for is counted, and others get theirs", async () => {
  const { url } = await receiver(500);
  const taken: string[] = [];
  const good = {
    name: "good",
    post: async (_tenant: string, alerts: readonly PostedAlert[]) => {
      taken.push(...alerts.map(({ labels }) => labels.alertname ?? ""));
    },
  };
  const registry = new Registry();
  const notifier = new AlertNotifier({ sinks: [client(url), good], queueCapacity: 2, logger: SILENT_LOGGER, registry });
  notifier.notify(DEFAULT_TENANT, [alert("1"), alert("2"), alert("3")]);
  await notifier.drain();
  expect(taken).toEqual(["2", "3"]);
  const metrics = await registry.metrics();
  expect(metrics).toContain(`prometheus_notifications_errors_total{alertmanager="${url}api/v2/alerts"} 2`);
  expect(metrics).toContain("prometheus_notifications_dropped_total 4");
  expect(metrics).toContain("prometheus_notifications_queue_length 0");
});
