import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ask } from "./harness/ask.ts";
import { eventually } from "./harness/eventually.ts";
import { call } from "./harness/http-call.ts";
import { encodeGauges, encodeLogs, encodeSpans } from "./harness/otlp.ts";
import { patientMs } from "./harness/patience.ts";
import { remoteWrite } from "./harness/remote-write.ts";
import { childEnvironment, runCommandLine, ServerProcess } from "./harness/server-process.ts";

const dir = mkdtempSync(join(tmpdir(), "sightline-operations-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const fileWith = (name: string, text: string): string => {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
};

describe("the command line", () => {
  test("--help names every flag and exits with 0", async () => {
    const { code, stdout } = await runCommandLine(["--help"]);
    expect(code).toBe(0);
    for (const flag of ["config", "data-dir", "listen", "otlp-grpc", "otlp-http", "target"]) {
      expect(stdout).toContain(`--${flag} `);
    }
  });

  test("the default configuration it prints is one that it takes", async () => {
    const { code, stdout } = await runCommandLine(["config", "default"]);
    expect(code).toBe(0);
    const again = await runCommandLine(["config", "effective", "--config", fileWith("default.yaml", stdout)]);
    expect(again).toMatchObject({ code: 0, stderr: "" });
    expect(again.stdout).toBe((await runCommandLine(["config", "effective"])).stdout);
  });

  test.each([
    ["an unknown flag", ["--lisen", "127.0.0.1:0"], {}, 2, [/lisen/, /--help/]],
    ["a flag without its value", ["--listen"], {}, 2, [/--listen/, /--help/]],
    ["an unknown command", ["serv"], {}, 2, [/"serv"/, /dead-letters/]],
    ["a port that is no number", ["--listen", "localhost:http"], {}, 1, [/listen/, /HOST:PORT/]],
    ["a port beyond 65535", ["--listen", "127.0.0.1:99999"], {}, 1, [/listen/, /99999|65535/]],
    ["an unknown target", ["--target", "frontend"], {}, 1, [/target/, /all/]],
    ["an unknown log level", ["--log-level", "loud"], {}, 1, [/log\.level/, /debug/]],
    ["a missing file", ["--config", "/nowhere/sightline.yaml"], {}, 1, [/\/nowhere\/sightline\.yaml/]],
    ["an open address without authentication", ["--listen", "0.0.0.0:0"], {}, 1, [/auth\.allow_unauthenticated/]],
    ["a misspelt variable", [], { SIGHTLINE_LISTN: "127.0.0.1:0" }, 1, [/SIGHTLINE_LISTN/, /did you mean listen\?/]],
    [
      "a variable of the wrong type",
      [],
      { SIGHTLINE_COLLECTOR__WAL__MAX_BYTES: "many" },
      1,
      [/collector\.wal\.max_bytes/, /SIGHTLINE_COLLECTOR__WAL__MAX_BYTES/],
    ],
  ] as [string, string[], Record<string, string>, number, RegExp[]][])(
    "%s is refused with a message that helps",
    async (_, args, env, wantCode, wanted) => {
      const { code, stdout, stderr } = await runCommandLine([...args, "--data-dir", join(dir, "unused")], env);
      expect({ code, stdout }).toEqual({ code: wantCode, stdout: "" });
      for (const pattern of wanted) expect(stderr).toMatch(pattern);
      expect(stderr).not.toContain("    at ");
    },
  );

  test.each([
    ["an unknown key", "collector: { wal: { max_byte: 1 } }", [/collector\.wal\.max_byte/, /max_bytes\?/]],
    ["a wrong type", "collector:\n  limits:\n    max_depth: deep\n", [/collector\.limits\.max_depth/, /number/]],
    ["a text that is no duration", "storage: { metrics: { retention: soon } }", [/storage\.metrics\.retention/, /15d/]],
    ["broken YAML", "listen: [", [/broken/i, /line 1/]],
    ["a list", "- a", [/map of keys/]],
    ["an unset variable", "data_dir: $" + "{NOT_SET_ANYWHERE}", [/NOT_SET_ANYWHERE/]],
    ["two wrong keys", "a: 1\nb: 2\n", [/a: unknown key/, /b: unknown key/]],
  ] as [string, string, RegExp[]][])("a file with %s is refused, naming file and key", async (name, text, wanted) => {
    const file = fileWith(`${name.replaceAll(" ", "-")}-broken.yaml`, text);
    const { code, stderr } = await runCommandLine(["config", "effective", "--config", file]);
    expect(code).toBe(1);
    for (const pattern of [...wanted, /broken\.yaml/]) expect(stderr).toMatch(pattern);
  });
});

describe("a running process", () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await ServerProcess.start({ env: { SIGHTLINE_SELF_TELEMETRY__INTERVAL_MS: "1000" } });
  });
  afterAll(() => server.dispose());

  test("prints the ready line once, and nothing else, on standard output", () => {
    expect(server.stdout).toBe(`sightline is ready: ${server.url}\n`);
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test.each(["/-/healthy", "/-/ready", "/ready"])("%s says so", async (path) => {
    expect(await call(server.url + path)).toMatchObject({ status: 200 });
  });

  test("/metrics is in the exposition format, with process and own metrics", async () => {
    const { status, headers, text } = await call(`${server.url}/metrics`);
    expect(status).toBe(200);
    expect(headers["content-type"]).toContain("version=0.0.4");
    expect(text).toMatch(/^sightline_process_cpu_seconds_total \d/m);
    expect(text.match(/^# TYPE sightline_\w+/gm)?.length).toBeGreaterThan(20);
  });

  test("an unknown path is a 404 that says where to look", async () => {
    expect(await call(`${server.url}/nowhere`)).toMatchObject({ status: 404 });
  });

  test("a second process on the same data directory is refused, naming the one that has it", async () => {
    const args = ["--data-dir", server.dataDir, "--listen", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0"];
    const { code, stdout, stderr } = await runCommandLine([...args, "--otlp-http", "127.0.0.1:0"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(server.dataDir);
    expect(stderr).toContain(String(server.pid));
    expect(stderr).toContain("--data-dir");
    expect((await call(`${server.url}/-/ready`)).status).toBe(200);
  });

  test("an address that is taken is refused, naming key and address", async () => {
    const taken = server.url.replace("http://", "");
    const args = ["--data-dir", join(dir, "other"), "--listen", taken, "--otlp-grpc", "127.0.0.1:0"];
    const { code, stderr } = await runCommandLine([...args, "--otlp-http", "127.0.0.1:0"]);
    expect(code).toBe(1);
    expect(stderr).toContain(taken);
    expect(stderr).toMatch(/\blisten\b/);
  });

  test("keeps its own metrics, logs and traces as tenant system", async () => {
    const own = new Ask(server.url, "system");
    await eventually(async () => {
      expect(await own.number("count({__name__=~'sightline_.+'})")).toBeGreaterThan(20);
    });
    const now = BigInt(Date.now()) * 1_000_000n;
    await eventually(async () => {
      const lines = await own.logs('{service_name="sightline"}', now - 600_000_000_000n, now + 60_000_000_000n);
      expect(lines.some(({ line }) => line.includes("accepting traffic"))).toBe(true);
    });
    await eventually(async () => {
      expect(await own.services()).toContain("sightline");
      const operations = await own.get("/jaeger/api/services/sightline/operations");
      expect(JSON.stringify(operations)).toContain("GET ");
    }, 15_000);
    expect(await new Ask(server.url).services()).not.toContain("sightline");
  });

  test.each(["..", "a/b", "x".repeat(151), "a b"])("refuses the tenant %j on every API", async (tenant) => {
    const headers = { "x-scope-orgid": tenant };
    const paths = ["/api/v1/query?query=up", "/loki/api/v1/labels", "/jaeger/api/services", "/api/v1/labels"];
    for (const path of paths) expect(await call(server.url + path, { headers })).toMatchObject({ status: 400 });
    const json = { ...headers, "content-type": "application/json" };
    for (const path of ["/v1/metrics", "/v1/logs", "/v1/traces"]) {
      expect(await call(server.url + path, { headers: json, body: "{}" })).toMatchObject({ status: 400 });
    }
    expect(await remoteWrite(server.url, 1, [], { tenant })).toMatchObject({ status: 400 });
  });
});

describe("tenants", () => {
  let server: ServerProcess;
  const traceId = Buffer.alloc(16, 7);
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  beforeAll(async () => {
    server = await ServerProcess.start();
    for (const [i, tenant] of ["left", "right"].entries()) {
      const headers = { "content-type": "application/x-protobuf", "x-scope-orgid": tenant };
      const labels = [
        ["__name__", "of_tenant"],
        ["only", tenant],
      ] as const;
      const samples = [{ timeMs: Date.now(), value: i + 1 }];
      expect((await remoteWrite(server.url, 1, [{ labels, samples }], { tenant })).status).toBeLessThan(300);
      const span = { traceId, spanId: Buffer.alloc(8, i + 1), name: `of ${tenant}`, startNs: nowNs, endNs: nowNs + 9n };
      const attributes = { only: tenant };
      for (const [path, body] of [
        ["/v1/metrics", encodeGauges(tenant, [{ name: "gauge", points: [{ timeNs: nowNs, value: i, attributes }] }])],
        ["/v1/logs", encodeLogs(tenant, [{ timeNs: nowNs, body: `of ${tenant}` }])],
        ["/v1/traces", encodeSpans(tenant, [span])],
      ] as const) {
        expect(await call(server.url + path, { headers, body })).toMatchObject({ status: 200 });
      }
    }
  });
  afterAll(() => server.dispose());

  test.each([
    ["left", "1"],
    ["right", "2"],
  ])("%s sees what is its own and nothing else, over every API", async (tenant, value) => {
    const ask = new Ask(server.url, tenant);
    expect(await ask.promql("of_tenant")).toMatchObject([
      { metric: { only: tenant }, value: [expect.anything(), value] },
    ]);
    expect(await ask.labelValues("only")).toEqual([tenant]);
    const series = await ask.get<{ data: unknown[] }>("/api/v1/series", { "match[]": '{only!=""}' });
    expect(series.data).toHaveLength(2);
    const lines = await ask.logs('{service_name=~".+"}', nowNs - 1_000_000_000n, nowNs + 1_000_000_000n);
    expect(lines.map(({ line }) => line)).toEqual([`of ${tenant}`]);
    const names = await ask.get<{ data: string[] }>("/loki/api/v1/label/service_name/values");
    expect(names.data).toEqual([tenant]);
    expect(await ask.services()).toEqual([tenant]);
    const trace = await ask.trace(traceId.toString("hex"));
    expect(trace?.spans.map(({ operationName }) => operationName)).toEqual([`of ${tenant}`]);
    expect(await ask.tempoSpanCount(traceId.toString("hex"))).toBe(1);
  });

  test("a tenant that has nothing is told nothing", async () => {
    const ask = new Ask(server.url, "nobody");
    expect(await ask.promql("{__name__=~'.+'}")).toEqual([]);
    expect(await ask.services()).toEqual([]);
    expect(await ask.trace(traceId.toString("hex"))).toBeUndefined();
    expect(await ask.tempoSpanCount(traceId.toString("hex"))).toBeUndefined();
    expect(await ask.logs('{service_name=~".+"}', nowNs - 1_000_000_000n, nowNs + 1_000_000_000n)).toEqual([]);
  });
});

describe("stopping and starting again", () => {
  test("SIGTERM under load answers what it took in, loses nothing of it, and exits with 0", async () => {
    const server = await ServerProcess.start();
    try {
      const startMs = Date.now() - 60_000;
      const acknowledged = new Set<number>();
      let stopping = false;
      const writer = async (id: number) => {
        for (let i = id; !stopping; i += 4) {
          const samples = [{ timeMs: startMs + i, value: i }];
          try {
            const { status } = await remoteWrite(server.url, 1, [{ labels: [["__name__", `drain_${id}`]], samples }]);
            if (status < 300) acknowledged.add(i);
          } catch {
            if (!server.isAlive || stopping) return;
          }
        }
      };
      const writers = [0, 1, 2, 3].map(writer);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await eventually(async () => expect(acknowledged.size).toBeGreaterThan(20));
      const began = performance.now();
      const code = server.stop();
      expect(await code).toBe(0);
      expect(performance.now() - began).toBeLessThan(patientMs(10_000));
      stopping = true;
      await Promise.all(writers);

      const ms = await server.restart();
      expect(ms).toBeLessThan(patientMs(3_000));
      const ask = new Ask(server.url);
      const kept = new Set<number>();
      for (const id of [0, 1, 2, 3]) {
        for (const [timeMs, value] of await ask.samples(`drain_${id}`)) {
          expect(timeMs - startMs).toBe(Number(value));
          kept.add(Number(value));
        }
      }
      expect(acknowledged.difference(kept)).toEqual(new Set());
    } finally {
      await server.dispose();
    }
  });

  test("SIGTERM to `npm start` stops the server, too", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "sightline-npm-"));
    const free = "127.0.0.1:0";
    const flags = ["--data-dir", dataDir, "--listen", free, "--otlp-grpc", free, "--otlp-http", free];
    const npm = spawn("npm", ["start", "--", ...flags], {
      cwd: join(import.meta.dirname, ".."),
      env: childEnvironment(),
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      let [printed, url] = ["", ""];
      npm.stdout.on("data", (chunk: Buffer) => {
        printed += chunk.toString();
        url = /sightline is ready: (\S+)/.exec(printed)?.[1] ?? "";
      });
      await eventually(async () => expect(url === "" && npm.exitCode === null).toBe(false), 60_000);
      expect(url, printed).not.toBe("");
      npm.kill("SIGTERM");
      await once(npm, "exit");
      await eventually(async () => expect(await call(`${url}/-/healthy`).catch(() => "gone")).toBe("gone"));
    } finally {
      npm.kill("SIGKILL");
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  test("half a request, and connections that say nothing, hold up no stop", async () => {
    const server = await ServerProcess.start();
    const { hostname, port } = new URL(server.url);
    const said = ["", "GET / HTTP/1.1\r\nHost: x\r\n", "GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n"];
    const body = "POST /api/v1/write HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc";
    const sockets = [...said, body].map(() => connect(Number(port), hostname).on("error", () => {}));
    try {
      await Promise.all(sockets.map((socket) => once(socket, "connect")));
      for (const [i, text] of [...said, body].entries()) sockets[i]?.write(text);
      await once(sockets[2] as Socket, "data");
      const began = performance.now();
      expect(await server.stop()).toBe(0);
      expect(performance.now() - began).toBeLessThan(patientMs(15_000));
    } finally {
      for (const socket of sockets) socket.destroy();
      await server.dispose();
    }
  });

  test("an empty process stops and starts soon", async () => {
    const server = await ServerProcess.start();
    try {
      const began = performance.now();
      expect(await server.stop()).toBe(0);
      expect(performance.now() - began).toBeLessThan(patientMs(2_000));
      expect(await server.restart()).toBeLessThan(patientMs(3_000));
    } finally {
      await server.dispose();
    }
  });
});
