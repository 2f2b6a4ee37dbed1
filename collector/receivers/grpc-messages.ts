import type { ServerInterceptingCallInterface, StatusObject } from "@grpc/grpc-js";
import type { BudgetPlace } from "../byte-budget.ts";

/** A gRPC message as it came: `encoding` is that of `grpc-encoding` if the message says it is compressed. */
export type GrpcMessage = { readonly encoding: string; readonly bytes: Buffer };

const MESSAGE_PREFIX_BYTES = 5;
const RESOURCE_EXHAUSTED = 8;

/** Parts of grpc-js' call (BaseServerInterceptingCall in server-interceptors.ts) that it does not declare. */
type InnerCall = {
  decompressMessage?: (message: Buffer, encoding: string) => GrpcMessage;
  sendStatus: (status: Partial<StatusObject>) => void;
  handleDataFrame?: (data: Buffer) => void;
  stream?: { once?: (event: "close", listener: () => void) => void };
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

/**
 * Counts the bytes of a message while they come, before grpc-js hands it out whole: else as many as there are calls could
 * be half received. Calls `refuse` with what `place` throws when there is no room. The place is given back when the
 * call is over, if not before. Should a later grpc-js lack the method, only whole messages are counted.
 */
export function countReceived(
  call: ServerInterceptingCallInterface,
  place: BudgetPlace,
  refuse: (error: unknown) => void,
): void {
  const inner = call as unknown as InnerCall;
  const { handleDataFrame, stream } = inner;
  if (typeof handleDataFrame !== "function" || typeof stream?.once !== "function") return;
  let isRefused = false;
  inner.handleDataFrame = (data) => {
    if (isRefused) return;
    try {
      place.grow(data.length);
    } catch (error) {
      isRefused = true;
      place.release();
      refuse(error);
      return;
    }
    handleDataFrame.call(call, data);
  };
  stream.once("close", place.release);
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
