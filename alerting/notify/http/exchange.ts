import { request } from "undici";
import type { HttpTransport } from "./http-transport.ts";

export type OutgoingRequest = {
  readonly method?: "GET" | "POST" | "PUT";
  readonly url: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** `body` may have been cut at the bound. Names of headers are in lower case. */
export type HttpAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
};

export type ExchangeOptions = {
  readonly followRedirects: boolean;
  readonly maxResponseBytes: number;
  /** Headers that only the host that was asked first may see: they authenticate. */
  readonly privateHeaders: Readonly<Record<string, string>>;
};

/** As in Go's net/http. */
const MAX_REDIRECTS = 10;

/**
 * One request and what becomes of it by redirects, of which each target is checked as the first was. Rejects with what the
 * transport, undici or the signal throw.
 */
export async function exchange(
  outgoing: OutgoingRequest,
  transport: HttpTransport,
  options: ExchangeOptions,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const first = new URL(outgoing.url);
  let url = new URL(first);
  let method = outgoing.method ?? "POST";
  let body = outgoing.body;
  let headers: Record<string, string> = { ...outgoing.headers };
  for (let redirects = 0; ; redirects++) {
    const isFirstHost = url.host === first.host && url.protocol === first.protocol;
    url.username = "";
    url.password = "";
    const dispatcher = await transport.dispatcherFor(url);
    const answer = await request(url, {
      dispatcher,
      method,
      headers: isFirstHost ? { ...headers, ...options.privateHeaders } : headers,
      body: body ?? null,
      signal,
    });
    const location = answer.headers.location;
    if (!options.followRedirects || !isRedirect(answer.statusCode) || typeof location !== "string") {
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: await readAtMost(answer.body, options.maxResponseBytes),
      };
    }
    await readAtMost(answer.body, options.maxResponseBytes);
    if (redirects === MAX_REDIRECTS) throw new Error(`stopped after ${MAX_REDIRECTS} redirects`);
    url = redirectTarget(location, url);
    if (url.host !== first.host) headers = withoutCredentials(headers);
    if (answer.statusCode !== 307 && answer.statusCode !== 308 && method !== "GET") {
      method = "GET";
      body = undefined;
      const { "content-type": _, ...rest } = headers;
      headers = rest;
    }
  }
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

function redirectTarget(location: string, from: URL): URL {
  if (!URL.canParse(location, from.href)) throw new Error("redirected to what is no address");
  const target = new URL(location, from);
  if (target.protocol !== "http:" && target.protocol !== "https:")
    throw new Error(`redirected to an address of the unsupported scheme ${target.protocol}`);
  return target;
}

function withoutCredentials(headers: Record<string, string>): Record<string, string> {
  const sensitive = /^(authorization|cookie|x-auth-token|x-user-id|www-authenticate)$/;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !sensitive.test(name)));
}

/** Reads to the bound and gives up the rest, and with it the connection. */
async function readAtMost(body: AsyncIterable<Uint8Array> & { destroy(): unknown }, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= maxBytes) {
      body.destroy();
      break;
    }
  }
  return Buffer.concat(chunks).subarray(0, maxBytes).toString("utf8");
}
