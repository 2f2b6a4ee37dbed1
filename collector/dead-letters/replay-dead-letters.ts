import { SightlineError } from "@sightline/model/errors.ts";
import type { Protocol, WireRequest } from "@sightline/proto/wire-request.ts";
import {
  type DeadLetter,
  KEPT_AS_DEAD_LETTER,
  letterIds,
  readDeadLetter,
  removeDeadLetter,
} from "./dead-letter-file.ts";

/** Throws when the request was not accepted. Gives what is to be said of parts that were refused, "" for none. */
export type Submit = (request: WireRequest) => Promise<string>;
/** Still a letter when there is an `error`. `note`: of an accepted one, what was refused of it. */
export type ReplayOutcome = { readonly letter: DeadLetter; readonly error?: unknown; readonly note?: string };

/**
 * Sends letters again, those named or all of them, the oldest first, and removes each that was accepted. One that is
 * refused again stays; the others are still tried.
 */
export async function* replayDeadLetters(
  dir: string,
  submit: Submit,
  ids?: readonly string[],
): AsyncGenerator<ReplayOutcome> {
  for (const id of ids ?? (await letterIds(dir))) {
    const { letter, request } = await readDeadLetter(dir, id);
    let note: string;
    try {
      note = await submit(request);
    } catch (error) {
      yield { letter, error };
      continue;
    }
    await removeDeadLetter(dir, id);
    yield { letter, note };
  }
}

type Endpoint = { readonly path: string; readonly contentType: string };
const ENDPOINTS: Readonly<Record<Protocol, Endpoint>> = {
  "otlp-metrics-protobuf": { path: "/v1/metrics", contentType: "application/x-protobuf" },
  "otlp-metrics-json": { path: "/v1/metrics", contentType: "application/json" },
  "otlp-logs-protobuf": { path: "/v1/logs", contentType: "application/x-protobuf" },
  "otlp-logs-json": { path: "/v1/logs", contentType: "application/json" },
  "otlp-traces-protobuf": { path: "/v1/traces", contentType: "application/x-protobuf" },
  "otlp-traces-json": { path: "/v1/traces", contentType: "application/json" },
  "loki-push-protobuf": { path: "/loki/api/v1/push", contentType: "application/x-protobuf" },
  "loki-push-json": { path: "/loki/api/v1/push", contentType: "application/json" },
  "remote-write-1": { path: "/api/v1/write", contentType: "application/x-protobuf;proto=prometheus.WriteRequest" },
  "remote-write-2": {
    path: "/api/v1/write",
    contentType: "application/x-protobuf;proto=io.prometheus.write.v2.Request",
  },
};

/**
 * Submits over HTTP to a running server, `http://host:port` of its main address. `headers` are added to each request,
 * for credentials. A record without a time of its own gets that of the replay.
 */
export function submitOverHttp(url: string, headers: Readonly<Record<string, string>> = {}): Submit {
  return async (request) => {
    const { path, contentType } = ENDPOINTS[request.protocol];
    const response = await fetch(new URL(path, url), {
      method: "POST",
      headers: {
        "content-type": contentType,
        ...(request.encoding === "identity" ? {} : { "content-encoding": request.encoding }),
        "x-scope-orgid": request.tenant,
        ...headers,
      },
      body: request.body as Uint8Array<ArrayBuffer>,
    });
    const body = Buffer.from(await response.arrayBuffer());
    // The server has put it aside again, as a new letter: the old one is done with.
    if (body.includes(KEPT_AS_DEAD_LETTER)) return readable(body);
    if (!response.ok) throw new SightlineError(`${response.status} from ${path}: ${readable(body)}`);
    // A success without reservations is an empty message: no bytes in protobuf, {} in JSON.
    return body.length <= 2 ? "" : readable(body);
  };
}

/** The text in a protobuf or JSON answer, good enough for a person. */
function readable(body: Buffer): string {
  return body
    .toString("utf8", 0, 500)
    .replace(/[^\x20-\x7e\u00a0-\uffff]+/g, " ")
    .trim();
}
