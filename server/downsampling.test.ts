import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { embeddedMetricsConfig } from "@sightline/storage-embedded/config.ts";
import { EmbeddedMetricStore } from "@sightline/storage-embedded/metrics/embedded-metric-store.ts";
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DownsamplingSettings, describeDownsampling } from "./downsampling-suite.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "downsampling-"));
});
afterAll(() => rm(root, { recursive: true }));

async function open(dir: string, { downsampling, retention }: DownsamplingSettings, nowMs: () => number) {
  const store = new EmbeddedMetricStore({
    dir: join(root, dir),
    config: embeddedMetricsConfig.parse({ retention, downsampling }),
    logger: SILENT_LOGGER,
    registry: new Registry(),
    nowMs,
  });
  await store.start();
  return { store, maintain: () => store.maintain(), dispose: () => store.stop() };
}
const dirOf = ({ downsampling }: DownsamplingSettings) => (downsampling === "off" ? "raw" : "coarse");

describeDownsampling(
  "EmbeddedMetricStore",
  (settings, nowMs) => open(dirOf(settings), settings, nowMs),
  (given) => {
    test("the blocks take less, and windows are in files beside them", async () => {
      const files = async (name: string) => {
        const dir = join(root, name, DEFAULT_TENANT);
        const found = (await readdir(dir)).filter((file) => file.includes(".block"));
        return Promise.all(found.map(async (file) => ({ file, bytes: (await stat(join(dir, file))).size })));
      };
      const size = (of: readonly { bytes: number }[]) => of.reduce((sum, { bytes }) => sum + bytes, 0);
      const [before, after] = [await files("raw"), await files("coarse")];
      expect(after.map(({ file }) => file.replace(/.*\.block/, ""))).toContain(".windows");
      expect(size(after)).toBeLessThan(size(before) * 0.8);
    });

    test("a restart and a snapshot change nothing", async () => {
      const { coarse, nowMs, expectSame } = given();
      const settings = { retention: "30d", downsampling: "off" } as const;
      const reopened = async (dir: string) => {
        const { store, dispose } = await open(dir, settings, nowMs);
        await expectSame(store);
        await dispose();
      };
      await coarse.administration.snapshot(DEFAULT_TENANT, join(root, "copy"), { skipMemory: false });
      await reopened("copy");
      await coarse.stop();
      await reopened("coarse");
    });
  },
);
