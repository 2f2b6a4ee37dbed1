import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

export async function startScrapedPair(options: { binary: string; message: 1 | 2 }): Promise<ScrapedPair> {
  const dir = mkdtempSync(join(tmpdir(), "sightline-pair-"));
  const server = await ServerProcess.start();
  const odd = await startOddTarget();
  const children: ChildProcess[] = [];
  const targets: Record<string, string> = { sightline: server.url.replace("http://", ""), odd: odd.address };
  const avalanche = process.env.SIGHTLINE_E2E_AVALANCHE;
  if (avalanche !== undefined) {
    targets.avalanche = `127.0.0.1:${await freePort()}`;
    children.push(spawn(avalanche, avalancheArgs(targets.avalanche), { stdio: "ignore" }));
  }
  const address = `127.0.0.1:${await freePort()}`;
  const config = join(dir, "prometheus.yml");
  writeFileSync(
    config,
    JSON.stringify(prometheusConfig({ ...targets, prometheus: address }, server.url, options.message)),
  );
  const prometheus = spawn(
    options.binary,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(dir, "data")}`,
      `--web.listen-address=${address}`,
      "--enable-feature=exemplar-storage,metadata-wal-records",
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

/** YAML is a superset of JSON, and Prometheus reads it as such. */
function prometheusConfig(targets: Record<string, string>, url: string, message: 1 | 2): object {
  return {
    global: {
      scrape_interval: "1s",
      scrape_timeout: "1s",
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
