import { connect } from "node:http2";
import { patientMs } from "./patience.ts";

export type GrpcAnswer = { readonly code: number; readonly message: string; readonly body: Buffer };
export type GrpcCallOptions = {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sets the frame's "compressed" bit; name the algorithm in the header `grpc-encoding`. */
  readonly compressed?: boolean;
};

const CALL_TIMEOUT_MS = patientMs(60_000);
/** In the message of a call whose connection ended before the server had said anything at all. */
export const UNGREETED = " before the server said anything";
/** Ours: Node gives up on a stream whose unsent data is more. */
const MAX_SESSION_MEGABYTES = 1_000;

/** A gRPC frame: flag, length, message. */
export function grpcFrame(message: Uint8Array, compressed = false): Buffer {
  const head = Buffer.alloc(5);
  head[0] = compressed ? 1 : 0;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/**
 * One unary gRPC call over bare HTTP/2, so that a test can send what no client library would. A stream that ends without
 * a `grpc-status` has the code -1; one that is reset or refused has the code -2.
 */
export function grpcCall(
  address: string,
  path: string,
  message: Uint8Array,
  options: GrpcCallOptions = {},
): Promise<GrpcAnswer> {
  return grpcCallRaw(address, path, grpcFrame(message, options.compressed), options.headers);
}

/** As {@link grpcCall}, with the bytes of the data frames as they are. */
export function grpcCallRaw(
  address: string,
  path: string,
  data: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<GrpcAnswer> {
  return new Promise((resolve) => {
    const session = connect(`http://${address}`, { maxSessionMemory: MAX_SESSION_MEGABYTES });
    const chunks: Buffer[] = [];
    let code = -1;
    let text = "";
    const read = (received: Record<string, unknown>) => {
      if (received["grpc-status"] === undefined) return;
      code = Number(received["grpc-status"]);
      text = decodeURIComponent(String(received["grpc-message"] ?? ""));
      // The answer may come while we are still sending, which a server counts as abuse after a while.
      finish();
    };
    let isGreeted = false;
    const finish = (failure?: string) => {
      clearTimeout(timer);
      session.destroy();
      const all = Buffer.concat(chunks);
      resolve({
        code: failure !== undefined && code === -1 ? -2 : code,
        message: failure !== undefined && text === "" ? `${failure}${isGreeted ? "" : UNGREETED}` : text,
        body: all.subarray(5),
      });
    };
    const timer = setTimeout(() => finish("timed out"), CALL_TIMEOUT_MS);
    session.once("remoteSettings", () => {
      isGreeted = true;
    });
    session.once("error", (error) => finish(error.message));
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    // Those above the last one it names the server has not looked at, and will not (RFC 9113, section 6.8).
    session.once("goaway", (_code, lastStream) => {
      if ((stream.id ?? 0) > lastStream) finish("REFUSED_STREAM");
    });
    stream.on("response", read);
    stream.on("trailers", read);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("error", (error) => finish(error.message));
    stream.once("close", () => finish(isGreeted ? undefined : "the connection ended"));
    stream.end(data);
  });
}
