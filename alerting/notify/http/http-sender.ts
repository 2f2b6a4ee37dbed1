import type { ReceiverSecrets } from "../receiver-secrets.ts";
import { exchange, type HttpAnswer, type OutgoingRequest } from "./exchange.ts";
import type { HttpConfig } from "./http-config.ts";
import { HttpTransport } from "./http-transport.ts";
import { OAuth2Token } from "./oauth2-token.ts";
import { RefusedTargetError, type TargetGuard } from "./target-guard.ts";
import { checkTls } from "./tls-options.ts";

/** No answer came. The message names no address and no secret. */
export class SendError extends Error {
  override readonly name = "SendError";
  /** Another attempt may succeed. */
  readonly retry: boolean;
  constructor(message: string, options: ErrorOptions & { retry: boolean }) {
    super(message, options);
    this.retry = options.retry;
  }
}

export type HttpSenderOptions = {
  readonly config: HttpConfig;
  readonly guard: TargetGuard;
  readonly secrets: ReceiverSecrets;
  readonly maxResponseBytes: number;
  /** Of one request with its redirects. */
  readonly timeoutMs: number;
};

const USER_AGENT = "Sightline";

/** Sends requests as `http_config` says. */
export class HttpSender {
  readonly #options: HttpSenderOptions;
  readonly #transport: HttpTransport;
  readonly #token: OAuth2Token | undefined;
  readonly #tokenTransport: HttpTransport | undefined;

  constructor(options: HttpSenderOptions) {
    this.#options = options;
    const { config, guard, secrets } = options;
    const common = { allowHttp2: config.enable_http2, guard, secrets };
    this.#transport = new HttpTransport({ ...common, proxy: config, tls: config.tls_config });
    if (!config.oauth2) return;
    this.#tokenTransport = new HttpTransport({ ...common, proxy: config.oauth2, tls: config.oauth2.tls_config });
    this.#token = new OAuth2Token({
      config: config.oauth2,
      transport: this.#tokenTransport,
      secrets,
      followRedirects: config.follow_redirects,
    });
  }

  /**
   * Any answer is a success here. `timeoutMs` is the receiver's own limit, 0 for none. Rejects with {@link SendError}, or with
   * the reason of `signal` when that aborts.
   */
  async send(outgoing: OutgoingRequest, signal: AbortSignal, timeoutMs = 0): Promise<HttpAnswer> {
    const { config, maxResponseBytes } = this.#options;
    const limitMs = timeoutMs > 0 ? Math.min(timeoutMs, this.#options.timeoutMs) : this.#options.timeoutMs;
    const timeout = AbortSignal.timeout(limitMs);
    const both = AbortSignal.any([signal, timeout]);
    try {
      const privateHeaders = await this.#credentials(outgoing, both);
      const headers = { "user-agent": USER_AGENT, ...outgoing.headers };
      return await exchange(
        { ...outgoing, headers },
        this.#transport,
        { followRedirects: config.follow_redirects, maxResponseBytes, privateHeaders },
        both,
      );
    } catch (cause) {
      signal.throwIfAborted();
      const message = timeout.aborted ? `no answer within ${limitMs} ms` : this.#describe(cause as Error, outgoing.url);
      throw new SendError(message, { cause, retry: !(cause instanceof RefusedTargetError) });
    }
  }

  /** Whether what the configuration names can be used. Throws `InvalidInputError`. */
  async check(): Promise<void> {
    const { config, secrets } = this.#options;
    await checkTls(config.tls_config, secrets);
    await checkTls(config.oauth2?.tls_config, secrets);
  }

  async close(): Promise<void> {
    await Promise.all([this.#transport.close(), this.#tokenTransport?.close()]);
  }

  /** Without the address: it may be the secret itself. */
  #describe(error: NodeJS.ErrnoException, url: string): string {
    const nested = error instanceof AggregateError ? (error.errors as NodeJS.ErrnoException[])[0] : undefined;
    const code = error.code ?? nested?.code;
    const message = (nested?.message || error.message || "the request failed").replaceAll(url, "<redacted>");
    const redacted = this.#options.secrets.redact(message);
    return code === undefined || redacted.includes(code) ? redacted : `${code}: ${redacted}`;
  }

  /** A header that the request has itself wins, as with Go's round trippers. */
  async #credentials(outgoing: OutgoingRequest, signal: AbortSignal): Promise<Record<string, string>> {
    const { config, secrets } = this.#options;
    const headers: Record<string, string> = {};
    const basic = config.basic_auth;
    if (outgoing.headers?.authorization !== undefined) {
      // It is there.
    } else if (basic) {
      const user = basic.username_file ? (await secrets.readFile(basic.username_file)).trim() : (basic.username ?? "");
      const password = await secrets.reveal(basic.password, basic.password_file);
      headers.authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    } else if (config.authorization) {
      const { type, credentials, credentials_file: file } = config.authorization;
      headers.authorization = `${type} ${await secrets.reveal(credentials, file)}`;
    } else if (this.#token) {
      headers.authorization = await this.#token.header(signal);
    } else {
      const { username, password } = new URL(outgoing.url);
      if (username !== "" || password !== "") {
        const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
        secrets.remember(decodeURIComponent(password));
        headers.authorization = `Basic ${Buffer.from(pair).toString("base64")}`;
      }
    }
    for (const [name, { values, secrets: hidden, files }] of Object.entries(config.http_headers ?? {})) {
      const all = [...values];
      for (const secret of hidden) all.push(await secrets.reveal(secret, undefined));
      for (const file of files) all.push(await secrets.reveal(undefined, file));
      if (all.length > 0) headers[name.toLowerCase()] = all.join(", ");
    }
    return headers;
  }
}
