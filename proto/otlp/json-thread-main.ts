/** What runs in the thread of a {@link JsonThread}. */
import { isMarkedAsUntransferable, parentPort } from "node:worker_threads";
import { InvalidInputError } from "@sightline/model/errors.ts";
import { lokiPushJsonToProtobuf } from "../loki/push-json.ts";
import { otlpJsonToProtobuf } from "./json.ts";
import type { JsonAnswer, JsonRequest } from "./json-thread.ts";

const port = parentPort as NonNullable<typeof parentPort>;
port.on("message", ({ kind, bytes }: JsonRequest) => {
  try {
    const made = kind === "loki-push" ? lokiPushJsonToProtobuf(bytes) : otlpJsonToProtobuf(kind, bytes);
    // Short ones lie in memory that Node shares between buffers.
    const protobuf = isMarkedAsUntransferable(made.buffer) ? new Uint8Array(made) : made;
    port.postMessage({ bytes: protobuf } satisfies JsonAnswer, [protobuf.buffer as ArrayBuffer]);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    port.postMessage((error instanceof InvalidInputError ? { error: message } : { bug: message }) satisfies JsonAnswer);
  }
});
