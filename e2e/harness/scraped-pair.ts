import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { call } from "./http-call.ts";
import { startOddTarget } from "./odd-target.ts";
import { ServerProcess } from "./server-process.ts";

/** A Prometheus that scrapes itself, Sightline and odd targets, and remote-writes all of it to that Sightline. */
export type ScrapedPair = {
  readonly prometheusUrl: string;
  readonly sightlineUrl: string;
  /** Keeps Prometheus' own counters and histograms moving meanwhile. */
  generateFor(ms: number): Promise<void>;
  stop(): Promise<void>;
};

export type ScrapedPairOptions = {
  /** Prometheus'. */
  readonly binary: string;
  /** The version of remote write. */
  readonly message: 1 | 2;
  readonly scrapeSeconds?: number;
  /** Path of an OpenTelemetry Collector, which then hands the demo shop's metrics to both by remote write 1.0. */
  readonly shopThrough?: string | undefined;
};

/** What random queries are made of; all of it is always on in a Sightline. */
const FEATURES = [
  "exemplar-storage",
  "metadata-wal-records",
  "promql-experimental-functions",
  "promql-duration-expr",
  "promql-delayed-name-removal",
  "promql-extended-range-selectors",
  "promql-binop-fill-modifiers",
  "st-storage",
  "use-start-timestamps",
  "xor2-encoding",
  "histograms-st-encoding",
];

/** Throws, before anything is started, when a program that is to be started can't be. */
export async function startScrapedPair(options: ScrapedPairOptions): Promise<ScrapedPair> {
  const avalanche = process.env.SIGHTLINE_E2E_AVALANCHE;
  for (const program of [options.binary, avalanche, options.shopThrough]) {
    if (program !== undefined) accessSync(program, constants.X_OK);
  }
  const dir = mkdtempSync(join(tmpdir(), "sightline-pair-"));
  const server = await ServerProcess.start();
  const odd = await startOddTarget();
  const children: ChildProcess[] = [];
  const targets: Record<string, string> = { sightline: server.url.replace("http://", ""), odd: odd.address };
  if (avalanche !== undefined) {
    targets.avalanche = `127.0.0.1:${await freePort()}`;
    children.push(spawn(avalanche, avalancheArgs(targets.avalanche), { stdio: "ignore" }));
  }
  const address = `127.0.0.1:${await freePort()}`;
  const config = join(dir, "prometheus.yml");
  writeFileSync(config, JSON.stringify(prometheusConfig({ ...targets, prometheus: address }, server.url, options)));
  const prometheus = spawn(
    options.binary,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(dir, "data")}`,
      `--web.listen-address=${address}`,
      "--web.enable-remote-write-receiver",
      `--enable-feature=${FEATURES.join(",")}`,
    ],
    { stdio: ["ignore", "inherit", "pipe"] },
  );
  let log = "";
  prometheus.stderr?.on("data", (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-20_000);
  });
  children.push(prometheus);
  const prometheusUrl = `http://${address}`;
  const stop = async () => {
    for (const child of children) child.kill("SIGTERM");
    odd.stop();
    await server.dispose();
    rmSync(dir, { recursive: true, force: true });
    for (const line of log.split("\n"))
      if (/level=(ERROR|WARN)/.test(line)) process.stderr.write(`prometheus: ${line}\n`);
  };
  try {
    await eventually(async () => {
      if ((await call(`${prometheusUrl}/-/ready`)).status !== 200) throw new Error(`Prometheus is not ready\n${log}`);
    }, 30_000);
  } catch (error) {
    await stop();
    throw error;
  }
  if (options.shopThrough !== undefined) {
    children.push(...(await openShop(options.shopThrough, [prometheusUrl, server.url], dir)));
  }
  return {
    prometheusUrl,
    sightlineUrl: server.url,
    async generateFor(ms) {
      const until = performance.now() + ms;
      const paths = ["query?query=up", "query?query=rate(up[1m])", "labels", "query?query=up{", "nowhere"];
      for (let i = 0; performance.now() < until; i++) {
        await call(`${prometheusUrl}/api/v1/${paths[i % paths.length]}`);
        await new Promise((resolve) => setTimeout(resolve, 20 + (i % 7) * 40));
      }
    },
    stop,
  };
}

/** Starts the demo shop and a collector that writes its metrics to each of the servers. */
async function openShop(otelcol: string, urls: readonly string[], dir: string): Promise<ChildProcess[]> {
  const endpoint = `127.0.0.1:${await freePort()}`;
  const names = urls.map((_, i) => `prometheus_remote_write/${i}`);
  const exporters = Object.fromEntries(names.map((name, i) => [name, { endpoint: `${urls[i]}/api/v1/write` }]));
  const dropped = { receivers: ["otlp"], exporters: ["debug"] };
  const config = {
    receivers: { otlp: { protocols: { http: { endpoint } } } },
    exporters: { ...exporters, debug: {} },
    service: {
      telemetry: { metrics: { level: "none" }, logs: { level: "error" } },
      pipelines: { metrics: { receivers: ["otlp"], exporters: names }, traces: dropped, logs: dropped },
    },
  };
  const path = join(dir, "otelcol.yaml");
  writeFileSync(path, JSON.stringify(config));
  const demo = fileURLToPath(new URL("../../demo/main.ts", import.meta.url));
  return [
    spawn(otelcol, [`--config=${path}`], { stdio: "ignore" }),
    spawn(process.execPath, [demo, "--endpoint", `http://${endpoint}`, "--rate", "3"], { stdio: "ignore" }),
  ];
}

/** YAML is a superset of JSON, and Prometheus reads it as such. */
function prometheusConfig(targets: Record<string, string>, url: string, options: ScrapedPairOptions): object {
  const { message, scrapeSeconds = 1 } = options;
  return {
    global: {
      scrape_interval: `${scrapeSeconds}s`,
      scrape_timeout: `${scrapeSeconds}s`,
      scrape_native_histograms: true,
      always_scrape_classic_histograms: true,
    },
    scrape_configs: Object.entries(targets).map(([job, target]) => ({
      job_name: job,
      static_configs: [{ targets: [target] }],
    })),
    remote_write: [
      {
        url: `${url}/api/v1/write`,
        protobuf_message: message === 1 ? "prometheus.WriteRequest" : "io.prometheus.write.v2.Request",
        send_native_histograms: true,
        send_exemplars: true,
        queue_config: { batch_send_deadline: "500ms", max_shards: 4 },
        metadata_config: { send_interval: "5s" },
        // The collector writes those to both.
        write_relabel_configs: [{ source_labels: ["job"], regex: "shop/.*", action: "drop" }],
      },
    ],
  };
}

function avalancheArgs(address: string): string[] {
  return [
    `--port=${address.split(":")[1]}`,
    "--gauge-metric-count=5",
    "--counter-metric-count=5",
    "--histogram-metric-count=2",
    "--native-histogram-metric-count=3",
    "--series-count=5",
    "--value-interval=1",
    "--series-interval=20",
    "--metric-interval=45",
  ];
}
