import { Agent, type IncomingHttpHeaders, request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import { patientMs } from "./patience.ts";

export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
};
export type CallOptions = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Needed for https, with the CA. */
  readonly agent?: Agent;
};

const DEFAULT_AGENT = new Agent({ keepAlive: true, maxSockets: 16, scheduling: "fifo" });
const CALL_TIMEOUT_MS = patientMs(60_000);

/**
 * One request exactly as told: no decompression, no redirects, no default headers beyond Node's own. An answer that
 * comes before the whole body is sent (413) counts as the answer. Rejects when the connection breaks without one.
 */
export function call(url: string, options: CallOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { body = "", headers = {} } = options;
    const method = options.method ?? (options.body === undefined ? "GET" : "POST");
    const length = { "content-length": String(Buffer.byteLength(body)) };
    const request = url.startsWith("https:") ? requestSecure : requestPlain;
    const outgoing = request(
      url,
      { method, agent: options.agent ?? DEFAULT_AGENT, headers: { ...length, ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        const finish = () => {
          const all = Buffer.concat(chunks);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: all, text: all.toString() });
        };
        response.once("end", finish);
        // The server may close while we are still sending: what it said before is its answer.
        response.once("error", finish);
      },
    );
    outgoing.setTimeout(CALL_TIMEOUT_MS, () =>
      outgoing.destroy(new Error(`no answer in ${CALL_TIMEOUT_MS} ms: ${url}`)),
    );
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

/** GET as JSON; throws with the answer's text when the status is not 200. */
export async function getJson<T>(url: string, headers: Readonly<Record<string, string>> = {}): Promise<T> {
  const answer = await call(url, { headers });
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text) as T;
}
