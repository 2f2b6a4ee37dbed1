import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ask } from "../harness/ask.ts";
import { eventually } from "../harness/eventually.ts";
import { call } from "../harness/http-call.ts";
import { HTTP_CASES } from "../harness/prometheus-http-cases.ts";
import { askCase, comparable, httpDataRequests } from "../harness/prometheus-http-data.ts";
import { ServerProcess } from "../harness/server-process.ts";
import { Cluster, clusterMissing } from "./cluster.ts";

const CONTENT_TYPES = {
  1: "application/x-protobuf",
  2: "application/x-protobuf;proto=io.prometheus.write.v2.Request",
} as const;
/** About the process that is asked, not about the data. */
const OF_THE_PROCESS = /\/api\/v1\/(status|targets|scrape_pools)/;
/** Snapshots are of files; databases have their own. */
const OF_FILES = /^POST \/api\/v1\/admin\/tsdb\/snapshot/;

describe.skipIf(clusterMissing() !== undefined)("the Prometheus API of several processes", () => {
  let cluster: Cluster;
  let single: ServerProcess;
  beforeAll(async () => {
    [cluster, single] = await Promise.all([Cluster.start(), ServerProcess.start()]);
    for (const { url } of [cluster.senders, single]) {
      for (const [version, body] of httpDataRequests()) {
        const headers = { "content-type": CONTENT_TYPES[version], "content-encoding": "snappy" };
        expect((await call(`${url}/api/v1/write`, { method: "POST", headers, body })).status).toBeLessThan(300);
      }
    }
    const seen = async (url: string) => [
      await new Ask(url).number('count({__name__=~".+"})'),
      await new Ask(url).metadata("requests_total"),
    ];
    // The one collector has the samples, the other one the metadata, and each writes when it wants.
    await eventually(async () => {
      for (const { url } of cluster.queriers) expect(await seen(url)).toEqual(await seen(single.url));
    });
  });
  afterAll(async () => {
    await single?.dispose();
    await cluster?.dispose();
  });

  for (const [about, cases] of HTTP_CASES) {
    const common = cases.filter(({ request }) => !OF_THE_PROCESS.test(request) && !OF_FILES.test(request));
    if (common.length === 0) continue;
    describe(about, () => {
      test.each(common.map((one) => [`${one.request} ${one.form ?? ""}`, one] as const))("%s", async (_, one) => {
        const [want, got] = await Promise.all([askCase(single.url, one), askCase(cluster.readers.url, one)]);
        expect(comparable(got, one)).toEqual(comparable(want, one));
      });
    });
  }
});
