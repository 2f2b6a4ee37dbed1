import { sign } from "node:crypto";
import type { ReceiverSecrets } from "../receiver-secrets.ts";
import { exchange, type HttpAnswer } from "./exchange.ts";
import { JWT_BEARER, type OAuth2Config } from "./http-config.ts";
import type { HttpTransport } from "./http-transport.ts";

/** A token is not used any more so long before it ends (golang.org/x/oauth2). */
const EARLY_MS = 10_000;
const ASSERTION_SECONDS = 3600;
const MAX_RESPONSE_BYTES = 64 * 1024;

export type OAuth2TokenOptions = {
  readonly config: OAuth2Config;
  readonly transport: HttpTransport;
  readonly secrets: ReceiverSecrets;
  readonly followRedirects: boolean;
  readonly nowMs?: () => number;
};

/** The token of OAuth 2 with which requests are authorized: asked for when there is none that is still good. */
export class OAuth2Token {
  readonly #options: OAuth2TokenOptions;
  #known: { readonly header: string; readonly expiresAtMs: number; readonly secret: string } | undefined;
  #pending: Promise<string> | undefined;

  constructor(options: OAuth2TokenOptions) {
    this.#options = options;
  }

  /** Value of the header `authorization`. Rejects when the server gives none, and when `signal` aborts. */
  async header(signal: AbortSignal): Promise<string> {
    const secret = await this.#secret();
    const known = this.#known;
    if (known && known.secret === secret && known.expiresAtMs - EARLY_MS > this.#nowMs()) return known.header;
    this.#pending ??= this.#fetch(secret, signal).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  #nowMs(): number {
    return (this.#options.nowMs ?? Date.now)();
  }

  #secret(): Promise<string> {
    const { config, secrets } = this.#options;
    return config.grant_type === JWT_BEARER
      ? secrets.reveal(config.client_certificate_key, config.client_certificate_key_file)
      : secrets.reveal(config.client_secret, config.client_secret_file);
  }

  async #fetch(secret: string, signal: AbortSignal): Promise<string> {
    const { config, secrets } = this.#options;
    const form = new URLSearchParams(config.endpoint_params);
    if (config.scopes.length > 0) form.set("scope", config.scopes.join(" "));
    let answer: HttpAnswer;
    if (config.grant_type === JWT_BEARER) {
      form.delete("scope");
      form.set("grant_type", JWT_BEARER);
      form.set("assertion", this.#assertion(secret));
      answer = await this.#post(form, {}, signal);
    } else {
      form.set("grant_type", "client_credentials");
      const basic = Buffer.from(`${encodeURIComponent(config.client_id)}:${encodeURIComponent(secret)}`);
      answer = await this.#post(form, { authorization: `Basic ${basic.toString("base64")}` }, signal);
      if (answer.status !== 200) {
        // Some servers want the client in the form.
        form.set("client_id", config.client_id);
        if (secret !== "") form.set("client_secret", secret);
        answer = await this.#post(form, {}, signal);
      }
    }
    const { token, type, expiresInSeconds } = readToken(answer);
    secrets.remember(token);
    const header = `${/^bearer$/i.test(type) ? "Bearer" : type} ${token}`;
    const expiresAtMs = expiresInSeconds > 0 ? this.#nowMs() + expiresInSeconds * 1000 : Number.POSITIVE_INFINITY;
    this.#known = { header, expiresAtMs, secret };
    return header;
  }

  #post(form: URLSearchParams, headers: Record<string, string>, signal: AbortSignal): Promise<HttpAnswer> {
    const { config, transport, followRedirects } = this.#options;
    return exchange(
      {
        url: config.token_url,
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: form.toString(),
      },
      transport,
      { followRedirects, maxResponseBytes: MAX_RESPONSE_BYTES, privateHeaders: headers },
      signal,
    );
  }

  /** RFC 7523: the client proves with its key who it is. */
  #assertion(key: string): string {
    const { config } = this.#options;
    const algorithm = config.signature_algorithm ?? "RS256";
    const issuedAt = Math.floor(this.#nowMs() / 1000);
    const issuer = config.iss ?? config.client_id;
    const header = {
      alg: algorithm,
      typ: "JWT",
      ...(config.client_certificate_key_id ? { kid: config.client_certificate_key_id } : {}),
    };
    const claims = {
      iss: issuer,
      ...(config.scopes.length > 0 ? { scope: config.scopes.join(" ") } : {}),
      sub: issuer,
      aud: config.audience ?? config.token_url,
      iat: issuedAt,
      exp: issuedAt + ASSERTION_SECONDS,
      ...config.claims,
    };
    const unsigned = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    const signature = sign(`RSA-SHA${algorithm.slice(2)}`, Buffer.from(unsigned), key);
    return `${unsigned}.${signature.toString("base64url")}`;
  }
}

function readToken({ status, body }: HttpAnswer): { token: string; type: string; expiresInSeconds: number } {
  if (status < 200 || status > 299)
    throw new Error(`oauth2: cannot fetch token: status ${status}: ${body.slice(0, 200)}`);
  let answer: { access_token?: unknown; token_type?: unknown; expires_in?: unknown };
  try {
    answer = JSON.parse(body) as typeof answer;
  } catch (cause) {
    throw new Error("oauth2: cannot parse the answer of the token server", { cause });
  }
  if (typeof answer?.access_token !== "string" || answer.access_token === "")
    throw new Error("oauth2: server response missing access_token");
  return {
    token: answer.access_token,
    type: typeof answer.token_type === "string" && answer.token_type !== "" ? answer.token_type : "Bearer",
    expiresInSeconds: Number(answer.expires_in ?? 0) || 0,
  };
}
