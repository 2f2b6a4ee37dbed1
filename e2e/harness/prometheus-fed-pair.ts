import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { call } from "./http-call.ts";
import { postRemoteWrite } from "./remote-write.ts";
import { ServerProcess } from "./server-process.ts";

const FEATURES = [
  "promql-experimental-functions",
  "promql-duration-expr",
  "promql-delayed-name-removal",
  "promql-extended-range-selectors",
  "promql-binop-fill-modifiers",
  "promql-per-step-stats",
  "exemplar-storage",
  "metadata-wal-records",
  "search-api",
];

/** A Prometheus and a Sightline that scrape nothing: both have what {@link FedPair.write} sends them. */
export class FedPair {
  readonly sightline: ServerProcess;
  readonly prometheusUrl: string;
  readonly #prometheus: ChildProcess;
  readonly #dir: string;

  private constructor(sightline: ServerProcess, prometheus: ChildProcess, prometheusUrl: string, dir: string) {
    this.sightline = sightline;
    this.prometheusUrl = prometheusUrl;
    this.#prometheus = prometheus;
    this.#dir = dir;
  }

  /** `binary` is the path of Prometheus 3.14. */
  static async start(binary: string): Promise<FedPair> {
    const dir = mkdtempSync(join(tmpdir(), "sightline-fed-pair-"));
    const configPath = join(dir, "prometheus.yml");
    writeFileSync(configPath, JSON.stringify({ storage: { tsdb: { out_of_order_time_window: "1d" } } }));
    const address = `127.0.0.1:${await freePort()}`;
    const args = [
      `--config.file=${configPath}`,
      `--storage.tsdb.path=${join(dir, "data")}`,
      `--web.listen-address=${address}`,
      "--web.enable-remote-write-receiver",
      "--web.enable-admin-api",
      `--enable-feature=${FEATURES.join(",")}`,
      "--log.level=error",
    ];
    const prometheus = spawn(binary, args, { stdio: ["ignore", "ignore", "inherit"] });
    const sightline = await ServerProcess.start({ env: { SIGHTLINE_QUERY__CORS_ORIGIN: ".*" } });
    const pair = new FedPair(sightline, prometheus, `http://${address}`, dir);
    try {
      await eventually(async () => {
        const { status } = await call(`${pair.prometheusUrl}/-/ready`);
        if (status !== 200) throw new Error(`Prometheus is not ready: ${status}`);
      }, 30_000);
    } catch (error) {
      await pair.stop();
      throw error;
    }
    return pair;
  }

  /** The same bytes to both; throws unless both take them. */
  async write(version: 1 | 2, body: Uint8Array): Promise<void> {
    for (const url of [this.prometheusUrl, this.sightline.url]) {
      const { status, text } = await postRemoteWrite(url, version, body);
      if (status >= 300) throw new Error(`${url} refused what was written: ${status} ${text}`);
    }
  }

  async stop(): Promise<void> {
    this.#prometheus.kill("SIGTERM");
    await this.sightline.dispose();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
