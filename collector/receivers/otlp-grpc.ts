import {
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  type ServiceDefinition,
  type StatusObject,
} from "@grpc/grpc-js";
import type { Principal, RequestHeaders } from "@sightline/model/access.ts";
import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Receiver, Signal } from "@sightline/model/ports.ts";
import { encodeExportResponse, encodeStatus } from "@sightline/proto/otlp/responses.ts";
import type { ContentEncoding } from "@sightline/proto/wire-request.ts";
import type { BudgetPlace } from "../byte-budget.ts";
import { countReceived, type GrpcMessage, grpcMessage, keepCompressed, nameSizeLimit } from "./grpc-messages.ts";
import { failureOf } from "./http-error.ts";
import type { ReceiverDeps } from "./receiver-deps.ts";

const SERVICES: Readonly<Record<Signal, string>> = {
  metrics: "opentelemetry.proto.collector.metrics.v1.MetricsService",
  logs: "opentelemetry.proto.collector.logs.v1.LogsService",
  traces: "opentelemetry.proto.collector.trace.v1.TraceService",
};
const ENCODINGS: readonly ContentEncoding[] = ["identity", "gzip", "deflate", "zstd"];
const UNIMPLEMENTED = 12;
const SIGNALS = Object.keys(SERVICES) as readonly Signal[];

const MAX_STREAMS_PER_CONNECTION = 256;
const STOP_TIMEOUT_MS = 10_000;
/** Of a status text: it travels in a trailer, and clients bound those. */
const MAX_MESSAGE_CHARACTERS = 1_000;

type OtlpGrpcOptions = ReceiverDeps & {
  /** `host:port`; port 0 picks a free one. */
  readonly listen: string;
  /** Unset: without TLS. */
  readonly credentials?: ServerCredentials | undefined;
};

/** OTLP/gRPC on an address of its own. */
export class OtlpGrpcReceiver implements Receiver {
  readonly name = "otlp-grpc";
  readonly #options: OtlpGrpcOptions;
  #server: Server | undefined;
  #address = "";

  constructor(options: OtlpGrpcOptions) {
    this.#options = options;
  }

  get address(): string {
    return this.#address;
  }

  async start(): Promise<void> {
    const { listen, credentials = ServerCredentials.createInsecure() } = this.#options;
    const server = createOtlpGrpcServer(this.#options);
    const colon = listen.lastIndexOf(":");
    const host = listen.slice(0, colon) || "0.0.0.0";
    try {
      const port = await new Promise<number>((resolve, reject) => {
        server.bindAsync(`${host}:${listen.slice(colon + 1)}`, credentials, (error, bound) =>
          error ? reject(error) : resolve(bound),
        );
      });
      this.#server = server;
      this.#address = `${host}:${port}`;
    } catch (cause) {
      server.forceShutdown();
      throw new InvalidInputError(`otlp_grpc: cannot listen on ${listen}: ${(cause as Error).message}`, { cause });
    }
  }

  /** Calls that are under way are answered, within 10 s. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => server.forceShutdown(), STOP_TIMEOUT_MS);
      server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** A server with the three services that is not bound to an address yet: connections may also be injected. */
export function createOtlpGrpcServer(deps: ReceiverDeps): Server {
  const callers: Callers = new WeakMap();
  const server = new Server({
    "grpc.max_receive_message_length": deps.config.limits.max_request_bytes,
    "grpc.max_concurrent_streams": MAX_STREAMS_PER_CONNECTION,
    interceptors: [authenticate(deps, callers)],
  });
  for (const signal of SIGNALS) {
    const path = `/${SERVICES[signal]}/Export`;
    const definition: ServiceDefinition = {
      Export: {
        path,
        requestStream: false,
        responseStream: false,
        requestSerialize: (bytes: Buffer) => bytes,
        // What keepCompressed made of it, which is no Buffer.
        requestDeserialize: (message: Buffer) => message,
        responseSerialize: (bytes: Buffer) => bytes,
        responseDeserialize: (bytes: Buffer) => bytes,
      },
    };
    server.addService(definition, { Export: exportHandler(signal, deps, callers) });
  }
  return server;
}

/** Who calls, and the place that the message takes while it is received; by the call's metadata. */
type Callers = WeakMap<Metadata, { readonly principal: Principal; readonly place: BudgetPlace }>;

/** Before the message is read, so that strangers can't make the server hold theirs. */
function authenticate(deps: ReceiverDeps, callers: Callers): ServerInterceptor {
  return (_method, call) => {
    keepCompressed(call);
    nameSizeLimit(call, deps.config.limits.max_request_bytes);
    const place = deps.ingest.budget.place();
    countReceived(call, place, (error) => call.sendStatus(statusObject(error, deps)));
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        try {
          deps.ingest.budget.reserve(0);
          const context = { peer: addressOf(call.getPeer()) };
          const principal = deps.authenticator.authenticate(headersOf(metadata), "ingest", context);
          callers.set(metadata, { principal, place });
        } catch (error) {
          call.sendStatus(statusObject(error, deps));
          return;
        }
        next(metadata);
      })
      .build();
    return new ServerInterceptingCall(call, { start: (next) => next(listener) });
  };
}

function exportHandler(
  signal: Signal,
  deps: ReceiverDeps,
  callers: Callers,
): handleUnaryCall<GrpcMessage | Buffer, Buffer> {
  return async (call, callback) => {
    try {
      const { encoding, bytes: body } = grpcMessage(call.request);
      if (!isTaken(encoding)) {
        callback({ code: UNIMPLEMENTED, details: `grpc-encoding ${encoding} is not taken: use gzip, deflate or zstd` });
        return;
      }
      const peer = addressOf(call.getPeer());
      const caller = callers.get(call.metadata);
      const principal =
        caller?.principal ?? deps.authenticator.authenticate(headersOf(call.metadata), "ingest", { peer });
      // From here on `submit` counts the message.
      caller?.place.release();
      const { rejected } = await deps.ingest.submit({
        tenant: principal.tenant,
        protocol: `otlp-${signal}-protobuf`,
        encoding,
        receivedAtMs: Date.now(),
        body,
      });
      callback(null, Buffer.from(encodeExportResponse(signal, rejected, "protobuf")));
    } catch (error) {
      callback(statusObject(error, deps));
    }
  };
}

function isTaken(encoding: string): encoding is ContentEncoding {
  return (ENCODINGS as readonly string[]).includes(encoding);
}

/** With google.rpc.Status in the trailers: RetryInfo there is what makes RESOURCE_EXHAUSTED retryable in OTLP. */
function statusObject(error: unknown, { logger }: ReceiverDeps): StatusObject {
  const failure = failureOf(error);
  if (failure.http === 500) logger.error("request failed", { protocol: "otlp-grpc", error });
  const message = failure.message.slice(0, MAX_MESSAGE_CHARACTERS);
  const metadata = new Metadata();
  const details = encodeStatus({ code: failure.code, message, retryAfterMs: failure.retryAfterMs }, "protobuf");
  metadata.set("grpc-status-details-bin", Buffer.from(details));
  return { code: failure.code, details: message, metadata };
}

/** Without the port, which is another one for each connection. */
function addressOf(peer: string): string {
  return peer.replace(/:\d+$/, "");
}

function headersOf(metadata: Metadata): RequestHeaders {
  const headers: Record<string, readonly string[]> = {};
  for (const name of Object.keys(metadata.getMap())) {
    if (!name.endsWith("-bin")) headers[name] = metadata.get(name).map(String);
  }
  return headers;
}
