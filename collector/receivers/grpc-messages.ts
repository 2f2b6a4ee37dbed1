import type { ServerInterceptingCallInterface, StatusObject } from "@grpc/grpc-js";

/** A gRPC message as it came: `encoding` is that of `grpc-encoding` if the message says it is compressed. */
export type GrpcMessage = { readonly encoding: string; readonly bytes: Buffer };

const MESSAGE_PREFIX_BYTES = 5;
const RESOURCE_EXHAUSTED = 8;

/** Parts of grpc-js' call (BaseServerInterceptingCall in server-interceptors.ts) that it does not declare. */
type InnerCall = {
  decompressMessage?: (message: Buffer, encoding: string) => GrpcMessage;
  sendStatus: (status: Partial<StatusObject>) => void;
};

/**
 * Makes a call hand out its message still compressed. grpc-js would inflate each one by itself, as many at a time as
 * there are calls and up to the limit each; the log wants it as it came anyway. Should a later grpc-js lack the method,
 * messages come inflated, as a plain `Buffer`: see {@link grpcMessage}.
 */
export function keepCompressed(call: ServerInterceptingCallInterface): void {
  const inner = call as unknown as InnerCall;
  if (typeof inner.decompressMessage !== "function") return;
  inner.decompressMessage = (message, encoding) => ({ encoding, bytes: message.subarray(MESSAGE_PREFIX_BYTES) });
}

export function grpcMessage(received: GrpcMessage | Buffer): GrpcMessage {
  return Buffer.isBuffer(received) ? { encoding: "identity", bytes: received } : received;
}

/** A message that is too large is refused by grpc-js before it is read, in words that do not tell how to allow it. */
export function nameSizeLimit(call: ServerInterceptingCallInterface, maxBytes: number): void {
  const inner = call as unknown as InnerCall;
  const sendStatus = inner.sendStatus.bind(call);
  inner.sendStatus = (status) => {
    const isTooLarge = status.code === RESOURCE_EXHAUSTED && status.details?.startsWith("Received message larger");
    if (!isTooLarge) return sendStatus(status);
    const details =
      `message is larger than collector.limits.max_request_bytes (${maxBytes}): send smaller batches or raise it ` +
      `[${status.details}]`;
    sendStatus({ ...status, details });
  };
}
