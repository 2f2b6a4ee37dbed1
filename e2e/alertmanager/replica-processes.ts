import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../harness/free-port.ts";
import { call } from "../harness/http-call.ts";
import { ServerProcess } from "../harness/server-process.ts";
import { type Page, WebhookReceiver } from "./webhook-receiver.ts";

/** Settings below `alerting.alertmanager`, as environment variables have them. */
export type AlertmanagerVariables = Readonly<Record<string, string>>;

const PREFIX = "SIGHTLINE_ALERTING__ALERTMANAGER__";

/** Servers whose Alertmanagers are replicas of each other, and the receiver that they all tell. */
export class ReplicaProcesses {
  readonly servers: ServerProcess[] = [];
  /** `HOST:PORT` where replicas reach the first one. */
  firstAddress = "";
  readonly dir = mkdtempSync(join(tmpdir(), "sightline-replicas-"));
  readonly #receiver = new WebhookReceiver();
  readonly #settings: AlertmanagerVariables;

  /** `settings` are those of every replica. */
  constructor(settings: AlertmanagerVariables) {
    this.#settings = settings;
  }

  /** What was told, to whomever it was told by. */
  get pages(): readonly Page[] {
    return this.#receiver.pages;
  }

  /** Alerts by name, told again only when there is news. */
  async configure(): Promise<void> {
    const hook = await this.#receiver.start();
    const route =
      "{receiver: hook, group_by: [alertname], group_wait: 100ms, group_interval: 500ms, repeat_interval: 1h}";
    writeFileSync(
      this.#configFile,
      `route: ${route}\nreceivers: [{name: hook, webhook_configs: [{url: '${hook}'}]}]\n`,
    );
  }

  /** One more, with settings of its own beside those of all. */
  async add(own: AlertmanagerVariables = {}): Promise<ServerProcess> {
    const address = `127.0.0.1:${await freePort()}`;
    this.firstAddress ||= address;
    const cluster = {
      CONFIG_FILE: this.#configFile,
      CLUSTER__LISTEN: address,
      CLUSTER__PEERS: JSON.stringify([this.firstAddress].filter((first) => first !== address)),
      CLUSTER__PEER_TIMEOUT_MS: "1500",
      CLUSTER__SETTLE_TIMEOUT_MS: "5000",
    };
    const settings = Object.entries({ ...cluster, ...this.#settings, ...own });
    const env = Object.fromEntries(settings.map(([name, value]) => [`${PREFIX}${name}`, value]));
    const server = await ServerProcess.start({ env: { SIGHTLINE_SELF_TELEMETRY__ENABLED: "false", ...env } });
    this.servers.push(server);
    return server;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.dispose()));
    this.#receiver.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  get #configFile(): string {
    return join(this.dir, "alertmanager.yml");
  }
}

/** Posts JSON to Alertmanager's API v2, and gives what it answers. Throws when that is no success. */
export async function postTo({ url }: ServerProcess, path: string, body: unknown): Promise<string> {
  const headers = { "content-type": "application/json" };
  const { status, text } = await call(`${url}/api/v2/${path}`, { headers, body: JSON.stringify(body) });
  if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  return text;
}

/** Gets JSON of Alertmanager's API v2. */
export async function getFrom({ url }: ServerProcess, path: string) {
  return JSON.parse((await call(`${url}/api/v2/${path}`)).text);
}
