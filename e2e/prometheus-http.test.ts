import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FedPair } from "./harness/prometheus-fed-pair.ts";
import { HTTP_CASES } from "./harness/prometheus-http-cases.ts";
import { askCase, comparable, httpDataRequests } from "./harness/prometheus-http-data.ts";

/** Prometheus 3.14; without it there is nothing to compare with. */
const BINARY = process.env.SIGHTLINE_E2E_PROMETHEUS;

describe.skipIf(BINARY === undefined)("the HTTP API answers as Prometheus does", () => {
  let pair: FedPair;
  beforeAll(async () => {
    pair = await FedPair.start(BINARY as string);
    for (const [version, body] of httpDataRequests()) await pair.write(version, body);
  }, 60_000);
  afterAll(() => pair?.stop());

  for (const [about, cases] of HTTP_CASES) {
    describe(about, () => {
      test.each(cases.map((one) => [`${one.request} ${one.form ?? ""}`, one] as const))("%s", async (_, one) => {
        const [want, got] = await Promise.all([askCase(pair.prometheusUrl, one), askCase(pair.sightline.url, one)]);
        const [wanted, gotten] = [comparable(want, one), comparable(got, one)];
        if (one.differs) expect(gotten).not.toEqual(wanted);
        else expect(gotten).toEqual(wanted);
      });
    });
  }
});
