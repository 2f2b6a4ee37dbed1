import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogRequest } from "@sightline/model/log-store.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { logBatchOf } from "@sightline/storage-conformance/log-batch-of.ts";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { embeddedLogsConfig } from "../config.ts";
import { EmbeddedLogStore } from "./embedded-log-store.ts";

const dir = mkdtempSync(join(tmpdir(), "likely-rows-"));
const config = embeddedLogsConfig.parse({});
const store = new EmbeddedLogStore({ dir, config, logger: SILENT_LOGGER, registry: new Registry(), nowMs: () => 0 });

/** Three records at each time, of which two meet the hint; and at time 7 many. */
const ROWS = Array.from({ length: 60 }, (_, i) => ({
  timeNs: BigInt(i < 30 ? Math.floor(i / 3) : 7 + (i % 2)),
  body: i % 3 === 0 ? `line ${i}` : `wanted line ${i}`,
  labels: { service_name: `service-${i % 2}` },
}));

const HINTED: LogRequest = {
  tenant: DEFAULT_TENANT,
  range: { startNs: 0n, endNs: 100n },
  matchers: [],
  line: [],
  hints: [{ label: "wanted", text: "wanted" }],
  newestFirst: true,
  limit: Number.MAX_SAFE_INTEGER,
};

beforeAll(async () => {
  await store.start();
  await store.append(DEFAULT_TENANT, logBatchOf(ROWS), 1);
  await store.flush();
});
afterAll(async () => {
  await store.stop();
  rmSync(dir, { recursive: true });
});

async function read(request: LogRequest) {
  const found: { readonly timeNs: bigint; readonly body: string }[] = [];
  for await (const batch of store.select(request, new AbortController().signal).batches) {
    for (const [row, body] of batch.bodies.entries()) found.push({ timeNs: batch.timesNs[row] as bigint, body });
  }
  return { times: found.map(({ timeNs }) => timeNs), bodies: found.map(({ body }) => body).sort() };
}

describe.each([true, false])("newest first: %s", (newestFirst) => {
  test.each([1, 2, 3, 8, 20, 30, 100, 10_000])(
    "that %i rows are likely to be enough changes no row",
    async (likelyRows) => {
      const request = { ...HINTED, newestFirst };
      const expected = await read(request);
      expect(expected.bodies).toHaveLength(40);
      const likely = { ...request, likelyRows };
      expect(await read(likely)).toEqual(expected);
      // What was found is known now.
      expect(await read(likely)).toEqual(expected);
      const part = { startNs: 3n, endNs: 8n };
      expect(await read({ ...likely, range: part })).toEqual(await read({ ...request, range: part }));
    },
  );
});
