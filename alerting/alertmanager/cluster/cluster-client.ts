import { Agent, request } from "undici";
import { type ClusterMessage, parseClusterMessage } from "./cluster-message.ts";
import { CLUSTER_PATH } from "./cluster-server.ts";
import type { ClusterTls } from "./cluster-tls.ts";

const REQUEST_TIMEOUT_MS = 5_000;

export type ClusterClientOptions = {
  /** Undefined: it is plain HTTP. */
  readonly tls: ClusterTls | undefined;
  /** That the certificates of others must have; empty: the host of their address. */
  readonly serverName: string;
  /** Empty: none is sent. */
  readonly secret: string;
};

/** Posts messages to other replicas. */
export class ClusterClient {
  readonly #scheme: "http" | "https";
  readonly #headers: Readonly<Record<string, string>>;
  #agent = new Agent();

  constructor({ tls, serverName, secret }: ClusterClientOptions) {
    this.#scheme = tls ? "https" : "http";
    this.#headers = {
      "content-type": "application/json",
      ...(secret !== "" && { authorization: `Bearer ${secret}` }),
    };
    tls?.subscribe((context) => {
      void this.#agent.close();
      this.#agent = new Agent({ connect: { ...context, ...(serverName !== "" && { servername: serverName }) } });
    });
  }

  /** Gives the answer of the replica at `address` (`HOST:PORT`). Throws when there is none. */
  async post(address: string, message: ClusterMessage): Promise<ClusterMessage> {
    const { statusCode, body } = await request(`${this.#scheme}://${address}${CLUSTER_PATH}`, {
      method: "POST",
      headers: this.#headers,
      body: JSON.stringify(message),
      dispatcher: this.#agent,
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`${statusCode}: ${text.slice(0, 200)}`);
    return parseClusterMessage(text);
  }

  async stop(): Promise<void> {
    await this.#agent.destroy();
  }
}
