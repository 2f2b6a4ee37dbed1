import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ask } from "./harness/ask.ts";
import { eventually } from "./harness/eventually.ts";
import { freePort } from "./harness/free-port.ts";
import { call } from "./harness/http-call.ts";
import { patientMs } from "./harness/patience.ts";
import { runProgram } from "./harness/run-program.ts";
import { ServerProcess } from "./harness/server-process.ts";

/**
 * Clients as others built them. Each is given by an environment variable with the path of its binary; without it its
 * tests are skipped, saying so. See README.md here for what the binaries are.
 */
const TELEMETRYGEN = process.env.SIGHTLINE_E2E_TELEMETRYGEN;
const GO_SDK = process.env.SIGHTLINE_E2E_GOSDK;
const OTEL_COLLECTOR = process.env.SIGHTLINE_E2E_OTELCOL;
for (const [name, path] of Object.entries({ TELEMETRYGEN, GOSDK: GO_SDK, OTELCOL: OTEL_COLLECTOR })) {
  if (path === undefined) console.info(`skipped: set SIGHTLINE_E2E_${name} to the path of the binary to test with it`);
}

const CLIENT_TIMEOUT_MS = patientMs(60_000);

let server: ServerProcess;
beforeAll(async () => {
  if (TELEMETRYGEN !== undefined || GO_SDK !== undefined) server = await ServerProcess.start();
});
afterAll(() => server?.dispose());

const run = (binary: string, args: readonly string[]) => runProgram(binary, args, { timeout: CLIENT_TIMEOUT_MS });

/** Items of a signal that the server says it has kept, or refused, of a tenant. */
async function counted(metric: string, signal: string, tenant: string): Promise<number> {
  const { text } = await call(`${server.url}/metrics`);
  let sum = 0;
  for (const line of text.split("\n")) {
    if (!line.startsWith(`${metric}{`) || !line.includes(`signal="${signal}"`) || !line.includes(`tenant="${tenant}"`))
      continue;
    sum += Number(line.slice(line.lastIndexOf(" ") + 1));
  }
  return sum;
}

/** What is there of a tenant: samples and lines by query, spans by the server's own count, as there is no search yet. */
async function found(signal: "metrics" | "logs" | "traces", tenant: string): Promise<number> {
  const ask = new Ask(server.url, tenant);
  if (signal === "traces") return counted("sightline_accepted_items_total", "traces", tenant);
  if (signal === "logs") {
    const now = BigInt(Date.now()) * 1_000_000n;
    return (await ask.logs('{service_name=~".+"}', now - 600_000_000_000n, now + 60_000_000_000n)).length;
  }
  return ask.number('sum(count_over_time({__name__!="", __name__!="target_info"}[10m]))');
}

describe.skipIf(TELEMETRYGEN === undefined)("telemetrygen", () => {
  const TRACES = 40;
  const CHILDREN = 4;
  const ITEMS = 150;
  describe.each(["grpc", "http"])("over %s", (transport) => {
    test.each<["metrics" | "logs" | "traces", string[], number]>([
      [
        "traces",
        ["--traces", String(TRACES), "--child-spans", String(CHILDREN), "--rate", "0"],
        TRACES * (CHILDREN + 1),
      ],
      ["logs", ["--logs", String(ITEMS), "--rate", "0"], ITEMS],
      // One point a millisecond at most: two values of one series at one time can't both be kept.
      ["metrics", ["--metrics", String(ITEMS), "--rate", "100", "--metric-type", "Sum"], ITEMS],
    ])("%s: all that it sent is there", async (signal, args, want) => {
      const tenant = `telemetrygen-${transport}-${signal}`;
      const endpoint = transport === "grpc" ? server.otlpGrpc : server.otlpHttp.replace("http://", "");
      const http = transport === "http" ? ["--otlp-http", "--otlp-http-url-path", `/v1/${signal}`] : [];
      const header = ["--otlp-header", `X-Scope-OrgID="${tenant}"`];
      const all = [signal, "--otlp-insecure", "--otlp-endpoint", endpoint, ...http, ...header, ...args];
      const { code, stderr } = await run(TELEMETRYGEN as string, all);
      expect(code, stderr.slice(-2_000)).toBe(0);
      expect(stderr).not.toMatch(/partial success|failed to export/i);
      expect(await counted("sightline_discarded_items_total", signal, tenant)).toBe(0);
      expect(await found(signal, tenant)).toBe(want);
      const ask = new Ask(server.url, tenant);
      if (signal === "traces") expect(await ask.services()).toContain("telemetrygen");
    });
  });
});

type GoReport = {
  readonly spans: { sent: number; acked: number };
  readonly logs: { sent: number; acked: number };
  readonly metric_points: { sent: number; acked: number };
  readonly facts: { readonly spans: { first_trace_id: string; last_trace_id: string } };
};
const N = 1_000;

/** A tenant has what the Go program sent: its counter, its histograms, its records, its first and last trace. */
async function expectGoData(tenant: string, report: GoReport): Promise<void> {
  const ask = new Ask(server.url, tenant);
  await eventually(async () => {
    expect(await ask.number('sum({__name__=~"gosdk[._]requests_total"})')).toBe(N);
    expect(await found("logs", tenant)).toBe(N);
  }, 20_000);
  for (const id of [report.facts.spans.first_trace_id, report.facts.spans.last_trace_id]) {
    expect((await ask.trace(id))?.spans).toHaveLength(10);
    expect(await ask.tempoSpanCount(id)).toBe(10);
  }
  expect(await found("traces", tenant)).toBe(N);
  for (const signal of ["metrics", "logs", "traces"]) {
    expect({ signal, discarded: await counted("sightline_discarded_items_total", signal, tenant) }).toEqual({
      signal,
      discarded: 0,
    });
  }
}

describe.skipIf(GO_SDK === undefined)("the OpenTelemetry SDK of Go", () => {
  test.each([
    ["grpc", []],
    ["http", []],
    ["grpc", ["-gzip"]],
    ["http", ["-gzip"]],
    ["grpc", ["-delta"]],
  ] as const)("over %s %j: every item is acknowledged and there", async (transport, extra) => {
    const tenant = `go-${transport}${extra.join("")}`;
    const endpoint = transport === "grpc" ? server.otlpGrpc : server.otlpHttp.replace("http://", "");
    const args = [`-endpoint-${transport}`, endpoint, "-n", String(N), "-headers", `X-Scope-OrgID=${tenant}`, ...extra];
    const { code, stdout, stderr } = await run(GO_SDK as string, args);
    expect(code, stdout + stderr).toBe(0);
    await expectGoData(tenant, (JSON.parse(stdout) as [GoReport])[0]);
  });
});

describe.skipIf(OTEL_COLLECTOR === undefined || GO_SDK === undefined)("the OpenTelemetry Collector's exporters", () => {
  test("otlp, otlphttp and prometheusremotewrite deliver everything they take in", async () => {
    const dir = mkdtempSync(join(tmpdir(), "sightline-collector-"));
    const [grpc, http] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
    const tenant = (name: string) => ({ headers: { "X-Scope-OrgID": name } });
    const pipeline = (...exporters: string[]) => ({ receivers: ["otlp"], processors: ["batch"], exporters });
    const config = {
      receivers: { otlp: { protocols: { grpc: { endpoint: grpc }, http: { endpoint: http } } } },
      processors: { batch: { timeout: "200ms" } },
      exporters: {
        otlp_grpc: { endpoint: server.otlpGrpc, tls: { insecure: true }, ...tenant("col-grpc") },
        otlp_http: { endpoint: server.otlpHttp, ...tenant("col-http") },
        prometheus_remote_write: { endpoint: `${server.url}/api/v1/write`, ...tenant("col-rw") },
      },
      service: {
        telemetry: { metrics: { level: "none" } },
        pipelines: {
          traces: pipeline("otlp_grpc", "otlp_http"),
          logs: pipeline("otlp_grpc", "otlp_http"),
          metrics: pipeline("otlp_grpc", "otlp_http", "prometheus_remote_write"),
        },
      },
    };
    const file = join(dir, "collector.yaml");
    writeFileSync(file, JSON.stringify(config));
    const collector = spawn(OTEL_COLLECTOR as string, [`--config=${file}`], { stdio: ["ignore", "ignore", "pipe"] });
    let log = "";
    collector.stderr.on("data", (chunk: Buffer) => {
      log += chunk.toString();
    });
    try {
      const report = await eventually(async () => {
        const { code, stdout, stderr } = await run(GO_SDK as string, [
          "-endpoint-grpc",
          grpc,
          "-n",
          String(N),
          "-timeout",
          "3s",
        ]);
        if (code !== 0) throw new Error(`the collector does not take anything: ${stderr}\n${log}`);
        return (JSON.parse(stdout) as [GoReport])[0];
      }, 20_000);
      await expectGoData("col-grpc", report);
      await expectGoData("col-http", report);
      const ask = new Ask(server.url, "col-rw");
      await eventually(async () => expect(await ask.number("sum(gosdk_requests_total)")).toBe(N));
      expect(await ask.number("sum(gosdk_latency_milliseconds_count)")).toBe(N);
      expect(await ask.number("sum(histogram_count(gosdk_size_bytes))")).toBe(N);
      expect(log).not.toMatch(/Exporting failed|dropp/i);
    } finally {
      collector.kill("SIGTERM");
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
