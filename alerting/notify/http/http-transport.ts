import { Agent, buildConnector, type Dispatcher, ProxyAgent } from "undici";
import type { ReceiverSecrets } from "../receiver-secrets.ts";
import type { ProxyConfig } from "./http-config.ts";
import { type ProxyChoice, proxyChoice } from "./proxy-choice.ts";
import type { TargetGuard } from "./target-guard.ts";
import type { TlsConfig } from "./tls-config.ts";
import { type TlsOptions, tlsOptions } from "./tls-options.ts";

const CONNECTIONS = 4;
const CONNECT_TIMEOUT_MS = 10_000;

export type HttpTransportOptions = {
  readonly proxy: ProxyConfig;
  readonly tls: TlsConfig | undefined;
  readonly allowHttp2: boolean;
  readonly guard: TargetGuard;
  readonly secrets: ReceiverSecrets;
};

/** Connections to the targets of one integration: directly or through a proxy, with its certificates. */
export class HttpTransport {
  readonly #options: HttpTransportOptions;
  readonly #choose: ProxyChoice;
  readonly #dispatchers = new Map<string, Dispatcher>();
  #tls: { readonly text: string; readonly options: TlsOptions } | undefined;

  constructor(options: HttpTransportOptions) {
    this.#options = options;
    this.#choose = proxyChoice(options.proxy);
  }

  /** Throws `RefusedTargetError` or `UnreadableFileError`. It stays the transport's, and is good for one request. */
  async dispatcherFor(target: URL): Promise<Dispatcher> {
    const { guard } = this.#options;
    const proxy = this.#choose(target);
    // The proxy resolves the name of the target by itself: this is the nearest that can be known.
    if (proxy) await guard.checkName(target.hostname);
    else guard.checkHost(target.hostname);
    if (proxy) guard.checkHost(new URL(proxy).hostname);
    const tls = await this.#currentTls();
    const key = proxy ?? "";
    let dispatcher = this.#dispatchers.get(key);
    if (!dispatcher) {
      dispatcher = proxy ? this.#proxyAgent(proxy, tls) : this.#agent(tls);
      this.#dispatchers.set(key, dispatcher);
    }
    return dispatcher;
  }

  async close(): Promise<void> {
    const all = [...this.#dispatchers.values()];
    this.#dispatchers.clear();
    await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
  }

  /** Certificates may have been renewed: then there are new connections. */
  async #currentTls(): Promise<TlsOptions> {
    const options = await tlsOptions(this.#options.tls, this.#options.secrets);
    const text = JSON.stringify(options);
    if (this.#tls && this.#tls.text !== text) {
      for (const dispatcher of this.#dispatchers.values()) void dispatcher.close();
      this.#dispatchers.clear();
    }
    this.#tls = { text, options };
    return options;
  }

  #agent(tls: TlsOptions): Dispatcher {
    const { guard, allowHttp2 } = this.#options;
    const connect = buildConnector({
      ...tls,
      // Go offers HTTP/2 first.
      allowH2: allowHttp2,
      preferH2: allowHttp2,
      timeout: CONNECT_TIMEOUT_MS,
      lookup: guard.lookup,
    } as buildConnector.BuildOptions);
    return new Agent({
      allowH2: allowHttp2,
      connections: CONNECTIONS,
      connect: (options, callback) =>
        // The configured name is what the certificate must have, whatever the address says.
        connect(tls.servername ? { ...options, servername: tls.servername } : options, callback),
    } as Agent.Options);
  }

  #proxyAgent(proxy: string, tls: TlsOptions): Dispatcher {
    const { guard, proxy: config, allowHttp2 } = this.#options;
    const headers: Record<string, string[]> = {};
    for (const [name, values] of Object.entries(config.proxy_connect_header ?? {}))
      headers[name] = values.map((value) => value.reveal());
    const url = new URL(proxy);
    this.#options.secrets.remember(decodeURIComponent(url.password));
    return new ProxyAgent({
      uri: proxy,
      // As Go: requests that are not encrypted are handed to the proxy, others go through a tunnel.
      proxyTunnel: false,
      connections: CONNECTIONS,
      allowH2: allowHttp2,
      headers,
      connectTimeout: CONNECT_TIMEOUT_MS,
      requestTls: { ...tls, allowH2: allowHttp2 },
      proxyTls: { ...tls, lookup: guard.lookup, allowH2: false },
    } as unknown as ProxyAgent.Options);
  }
}
