import type { AddressInfo } from "node:net";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { logBatchOf } from "@sightline/storage-conformance/log-batch-of.ts";
import { expect, test, vi } from "vitest";
import { lokiAppOverStore, NOW_NS } from "./loki-test-app.ts";

const record = (body: string, secondsAgo: number) => ({
  timeNs: NOW_NS - BigInt(secondsAgo) * 1_000_000_000n,
  body,
  labels: { app: "shop" },
});

test("without a feed a tail has the newest lines, then those that come to the store, each as often as it came", async () => {
  const { app, store } = await lokiAppOverStore(["oldest", "older", "old"].map((body, i) => record(body, 6 - i)));
  await app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.server.address() as AddressInfo;
  const query = new URLSearchParams({ query: '{app="shop"} != "not"', limit: "2" });
  const socket = new WebSocket(`ws://127.0.0.1:${port}/loki/api/v1/tail?${query}`);
  const lines: string[] = [];
  socket.addEventListener("message", ({ data }) => {
    for (const { values } of JSON.parse(String(data)).streams) for (const [, line] of values) lines.push(line);
  });
  try {
    await vi.waitFor(() => expect(lines).toEqual(["older", "old"]), 5_000);
    await store.append(DEFAULT_TENANT, logBatchOf([record("new", 1), record("not this", 1), record("late", 3)]), 2);
    await vi.waitFor(() => expect(lines).toEqual(["older", "old", "late", "new"]), 5_000);
    await store.append(DEFAULT_TENANT, logBatchOf([record("new", 1), record("newest", 0)]), 3);
    await vi.waitFor(() => expect(lines).toContain("newest"), 5_000);
    // A look later.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(lines).toEqual(["older", "old", "late", "new", "new", "newest"]);
  } finally {
    socket.close();
    await app.close();
  }
});
