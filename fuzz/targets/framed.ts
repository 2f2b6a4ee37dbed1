import { type ClientHttp2Session, connect } from "node:http2";
import { TestCollector } from "@sightline/collector/testing/test-collector.ts";
import { grpcFrame } from "@sightline/e2e/harness/grpc-call.ts";
import { mutateBytes } from "../mutate/bytes.ts";
import type { FuzzTargets } from "../target.ts";
import type { Messages } from "./messages.ts";

const PATHS = ["logs.v1.LogsService", "metrics.v1.MetricsService", "trace.v1.TraceService"].map(
  (service) => `/opentelemetry.proto.collector.${service}/Export`,
);
/** INTERNAL and UNKNOWN are what bugs are answered with; grpc-js says INTERNAL of frames that are cut off, too. */
const UNKNOWN = 2;
const MAX_ANSWER_MS = 5_000;

/** gRPC's frames, sent to a real receiver: what grpc-js and our reading of what it leaves compressed make of them. */
export async function framedTargets({ logs, metrics, traces }: Messages): Promise<FuzzTargets> {
  const collector = new TestCollector({ limits: { max_request_bytes: 1_000_000 } });
  await collector.start();
  const open = () => connect(`http://${collector.grpc.address}`).on("error", () => {});
  let session = open();
  const call = async (data: Uint8Array) => {
    if (session.closed || session.destroyed) session = open();
    const { status, message } = await unaryCall(session, data);
    if (status === UNKNOWN) throw new Error(`answered with ${status}: ${message}`);
  };
  const target = {
    name: "frames of gRPC",
    share: 0.3,
    seeds: [...logs, ...metrics, ...traces].map((body) => grpcFrame(body)),
    mutate: mutateBytes,
    run: call,
  };
  return {
    targets: [target],
    close: async () => {
      session.destroy();
      await collector.stop();
    },
  };
}

/** A stream that is reset counts as refused. Rejects when nothing is answered. */
function unaryCall(session: ClientHttp2Session, data: Uint8Array): Promise<{ status: number; message: string }> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer in ${MAX_ANSWER_MS} ms`)), MAX_ANSWER_MS);
    const headers = {
      ":method": "POST",
      ":path": PATHS[data.length % PATHS.length],
      "content-type": "application/grpc",
      te: "trailers",
    };
    const stream = session.request(headers);
    let [status, message] = [-1, ""];
    const read = (received: Record<string, unknown>) => {
      if (received["grpc-status"] === undefined) return;
      status = Number(received["grpc-status"]);
      message = String(received["grpc-message"] ?? "");
    };
    stream.on("response", read);
    stream.on("trailers", read);
    stream.on("data", () => {});
    stream.once("error", () => {});
    stream.once("close", () => {
      clearTimeout(timer);
      resolve({ status, message });
    });
    stream.end(data);
  });
}
