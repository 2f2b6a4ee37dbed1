import { Agent, request } from "node:http";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { patientMs } from "../harness/patience.ts";
import type { Body, Kind } from "./payloads.ts";

/** What a server said to one attempt. */
export type Answer = {
  /** HTTP status or gRPC code by its protocol, "timeout", or the code of a broken connection. */
  readonly status: string;
  readonly outcome: "accepted" | "retry" | "refused" | "unknown";
  /** What the server asked for; undefined when it did not. */
  readonly retryAfterMs?: number | undefined;
  /** What it said when it did not accept. */
  readonly text?: string | undefined;
};
export type Send = (body: Body) => Promise<Answer>;

/** Half a minute, unless the machine is said to be a busy one. */
const TIMEOUT_MS = patientMs(10_000);
const MAX_TEXT = 1_000;
const RETRYABLE_HTTP = new Set([429, 502, 503, 504]);

/** Over one address by as many connections as are sent at a time. */
export function makeSender(kind: Kind["name"], addresses: { readonly http: string; readonly grpc: string }): Send {
  if (kind === "traces") return grpcSender(addresses.grpc);
  const agent = new Agent({ keepAlive: true });
  if (kind === "metrics") {
    return (body) =>
      postBody(agent, new URL("/api/v1/write", addresses.http), body, {
        "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        "content-encoding": "snappy",
        "x-prometheus-remote-write-version": "2.0.0",
      });
  }
  return (body) =>
    postBody(agent, new URL("/v1/logs", addresses.http), body, {
      "content-type": "application/x-protobuf",
      "content-encoding": "gzip",
    });
}

function postBody(agent: Agent, url: URL, { bytes }: Body, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve) => {
    const options = { method: "POST", agent, headers: { ...headers, "content-length": bytes.length } };
    const outgoing = request(url, { ...options, timeout: TIMEOUT_MS }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        if (text.length < MAX_TEXT) text += chunk.toString("latin1");
      });
      response.once("error", () => resolve({ status: "broken answer", outcome: "unknown" }));
      response.once("end", () => {
        const code = response.statusCode ?? 0;
        const after = response.headers["retry-after"];
        const outcome = code >= 200 && code < 300 ? "accepted" : RETRYABLE_HTTP.has(code) ? "retry" : "refused";
        const retryAfterMs = after === undefined ? undefined : 1_000 * Number(after);
        resolve({ status: `HTTP ${code}`, outcome, retryAfterMs, text });
      });
    });
    outgoing.once("timeout", () => {
      resolve({ status: "timeout", outcome: "unknown" });
      outgoing.destroy();
    });
    outgoing.once("error", (error: NodeJS.ErrnoException) =>
      resolve({ status: error.code ?? error.message, outcome: "unknown" }),
    );
    outgoing.end(bytes);
  });
}

const OK = "gRPC 0";
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;
const UNAVAILABLE = 14;

function grpcSender(address: string): Send {
  const client = new Client(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
  const path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
  const same = (bytes: Buffer) => bytes;
  return ({ bytes }) =>
    new Promise((resolve) => {
      const deadline = Date.now() + TIMEOUT_MS;
      client.makeUnaryRequest(path, same, same, bytes, new Metadata(), { deadline }, (error) =>
        resolve(grpcAnswer(error)),
      );
    });
}

/** As the OTLP specification has it: RESOURCE_EXHAUSTED may be sent again only when the answer carries RetryInfo. */
function grpcAnswer(error: ServiceError | null): Answer {
  if (!error) return { status: OK, outcome: "accepted" };
  const details = error.metadata?.get("grpc-status-details-bin")[0];
  const retryAfterMs = details === undefined ? undefined : retryDelayMs(Buffer.from(details));
  const status = `gRPC ${error.code}`;
  if (error.code === DEADLINE_EXCEEDED) return { status: "timeout", outcome: "unknown" };
  // The client library's own words when a connection broke under a call.
  if (error.code === UNAVAILABLE && retryAfterMs === undefined) return { status: "broken call", outcome: "unknown" };
  if (error.code === UNAVAILABLE || (error.code === RESOURCE_EXHAUSTED && retryAfterMs !== undefined)) {
    return { status, outcome: "retry", retryAfterMs, text: error.details };
  }
  return { status, outcome: "refused", text: error.details };
}

/**
 * Of a google.rpc.Status with a RetryInfo, whose bytes are few: after the name of its type come the headers of the value
 * and of the duration in it, then the seconds as a varint.
 */
function retryDelayMs(status: Buffer): number | undefined {
  const name = "google.rpc.RetryInfo";
  const at = status.indexOf(name);
  if (at < 0) return undefined;
  const seconds = at + name.length + 4;
  return status[seconds] === 8 ? 1_000 * (status[seconds + 1] ?? 0) : 0;
}
