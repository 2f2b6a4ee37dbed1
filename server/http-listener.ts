import type { Server } from "node:http";
import type { Server as SecureServer } from "node:https";
import { type AddressInfo, Server as SocketServer } from "node:net";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { InvalidInputError, statusOf, UnavailableError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";
import fastify, { type FastifyHttpOptions, type FastifyInstance, type FastifyRequest } from "fastify";
import { Acceptors, assertPortIsFree, CAN_SHARE_PORT, openConnections } from "./acceptors.ts";
import { HttpConnections } from "./http-connections.ts";
import { refuseBrokenPath, refuseBrokenRequest } from "./refuse-broken-requests.ts";
import type { TlsFiles } from "./tls/tls-files.ts";

/** What every 401 must say (RFC 9110, section 11.6.1). */
const CHALLENGE = 'Bearer realm="sightline", Basic realm="sightline"';

/** As Go's server: long queries come by GET, too. */
const MAX_HEADER_BYTES = 1_048_576;
const LOOK_MS = 20;
/** However many still send. Each answer is the last one of its connection, so they become fewer. */
const MAX_DRAIN_MS = 3_000;
/**
 * What is still being answered when the process stops has so many looks, ten seconds; a client whose connection was ended
 * has half a second to end it, too. Not by the clock: a machine that stood still meanwhile gave nobody any time.
 */
const MAX_ANSWER_LOOKS = 500;
const LINGER_LOOKS = 25;
const RETRY_AFTER_MS = 1_000;
/** What has come by the end of a turn as short as this has been read. */
const SHORT_TURN_MS = 3;
const MIN_TURNS = 3;
const MAX_TURNS = 100;
/** Connections that may wait to be accepted: with Node's 511, a burst of more leaves some hanging. */
const BACKLOG = 4_096;
const TLS_HANDSHAKE_TIMEOUT_MS = 10_000;
/** Every API reads the parameters of the URL by the rules of the server it stands in for; nobody has use for a second reading. */
const NO_PARAMETERS: Readonly<Record<string, unknown>> = Object.freeze({});

const STOPPING = "the server is stopping: send the request again";

export type HttpListenerOptions = {
  /** The configuration key that gave `hostPort`; errors name it. */
  readonly key: string;
  readonly hostPort: string;
  readonly logger: Logger;
  /** Started before this is; undefined: without TLS. */
  readonly tls?: TlsFiles | undefined;
};

/** One HTTP/1.1 address. Register routes on `app` before `start`. */
export class HttpListener implements Component {
  readonly name: string;
  readonly app: FastifyInstance;
  readonly #hostPort: string;
  readonly #logger: Logger;
  readonly #scheme: "http" | "https";
  readonly #routes: string[] = [];
  readonly #acceptors = new Acceptors();
  #url = "";
  /** Each answer is the last one of its connection. */
  #isDraining = false;
  /** Requests get no other answer than to come back. */
  #isRefusing = false;
  readonly #connections = new HttpConnections();

  constructor(options: HttpListenerOptions) {
    this.name = `http listener ${options.key}`;
    this.#hostPort = options.hostPort;
    this.#logger = options.logger;
    this.#scheme = options.tls ? "https" : "http";
    this.app = fastify({
      ...(options.tls ? { https: secureOptions(options.tls) } : { http: { maxHeaderSize: MAX_HEADER_BYTES } }),
      // Label values and ids may be long; the URL as a whole is bounded by the size of the headers.
      routerOptions: { maxParamLength: 8_192, ignoreTrailingSlash: true, querystringParser: () => NO_PARAMETERS },
      clientErrorHandler: refuseBrokenRequest,
      frameworkErrors: refuseBrokenPath,
      forceCloseConnections: "idle",
      requestTimeout: 0,
      // Its types tell secure and plain instances apart; nothing that is registered here does.
    } as FastifyHttpOptions<Server>);
    options.tls?.subscribe((context) => (this.app.server as unknown as SecureServer).setSecureContext(context));
    this.app.addHook("onRoute", ({ method, url }) => {
      for (const name of [method].flat()) this.#routes.push(`${name} ${url}`);
    });
    this.#connections.watch(this.app.server, options.tls ? "secureConnection" : "connection");
    this.app.addHook("onRequest", (request, reply, done) => {
      this.#connections.begin(request.raw, reply.raw);
      if (!this.#isRefusing) return done();
      // Closed while its body is still coming, the connection would be reset, and the answer lost.
      request.raw.resume().once("close", () => done(new UnavailableError(STOPPING, { retryAfterMs: RETRY_AFTER_MS })));
    });
    this.app.addHook("onSend", (request, reply, _payload, done) => {
      if (reply.statusCode === 401) reply.header("www-authenticate", CHALLENGE);
      if (this.#isDraining && !hasUnreadBody(request)) reply.header("connection", "close");
      done();
    });
    this.app.setErrorHandler((error, request, reply) => {
      const { http, retryAfterMs } = statusOf(error);
      const status = http === 500 ? ((error as { statusCode?: number }).statusCode ?? 500) : http;
      if (status >= 500 && retryAfterMs === undefined) {
        options.logger.error("request failed", { method: request.method, url: request.url, error });
      }
      if (retryAfterMs !== undefined) reply.header("retry-after", Math.ceil(retryAfterMs / 1000));
      reply
        .code(status)
        .type("text/plain; charset=utf-8")
        .send(`${(error as Error).message}\n`);
    });
    this.app.setNotFoundHandler((request, reply) => {
      reply
        .code(404)
        .type("text/plain; charset=utf-8")
        // Grafana looks for "page not found" to tell that an optional API is missing.
        .send(
          `404 page not found: nothing is served at ${request.method} ${request.url.split("?")[0]}; see / for what is\n`,
        );
    });
  }

  /** `http://host:port` or `https://host:port` with the real port, known after `start`. */
  get url(): string {
    return this.#url;
  }

  async start(): Promise<void> {
    const { host, port } = splitHostPort(this.#hostPort);
    try {
      // Of several sockets on a port that is not free, each would get some of the connections.
      if (CAN_SHARE_PORT && port !== 0) await assertPortIsFree({ host, port });
      const options = { host, port, backlog: BACKLOG, reusePort: CAN_SHARE_PORT };
      await this.app.listen(options);
    } catch (cause) {
      throw new InvalidInputError(`${this.name}: cannot listen on ${this.#hostPort}: ${(cause as Error).message}`, {
        cause,
      });
    }
    const address = this.app.server.address() as AddressInfo;
    if (CAN_SHARE_PORT) {
      await this.#acceptors.start(this.app.server, { host: address.address, port: address.port, backlog: BACKLOG });
    }
    const shownHost = address.family === "IPv6" ? `[${address.address}]` : address.address;
    this.#logger.debug("routes", { listener: this.name, routes: this.#routes });
    this.#url = `${this.#scheme}://${shownHost}:${address.port}`;
  }

  /**
   * From now on nobody can connect, and each answer is the last one on its connection, so that no client is cut off in the
   * middle of its next request. Settles when there are no connections left, or when none of those that are left has asked
   * anything for `quietMs`, or after some seconds.
   */
  async drain(quietMs: number): Promise<void> {
    await this.#stopListening();
    const began = performance.now();
    do {
      await sleep(LOOK_MS);
      // Timers come before what has arrived: after a long turn, requests would be overlooked.
      await nextTurn();
      if ((await this.#countConnections()) === 0) return;
    } while (performance.now() < Math.min(began + MAX_DRAIN_MS, this.#lastRequestMs(began) + quietMs));
  }

  #lastRequestMs(beganMs: number): number {
    return Math.max(beganMs, this.#connections.lastRequestMs);
  }

  async #stopListening(): Promise<void> {
    if (this.#isDraining) return;
    this.#isDraining = true;
    // Connections that wait to be accepted would be reset; each socket accepts one per turn.
    for (let turn = 0, accepted = -1; turn < MAX_TURNS && accepted !== this.#connections.accepted; turn++) {
      accepted = this.#connections.accepted;
      await nextTurn();
    }
    this.#acceptors.stop();
    // Not that of HTTP, which also closes connections on which no request is being answered at the moment.
    if (this.app.server.listening) SocketServer.prototype.close.call(this.app.server);
  }

  async #countConnections(): Promise<number> {
    return (await openConnections(this.app.server)) + (await this.#acceptors.connections());
  }

  /**
   * Answers what has been asked, for ten seconds at most; ends connections on which nothing is asked, and what comes on
   * others is told to come back.
   */
  async stop(): Promise<void> {
    await this.#stopListening();
    await untilRead();
    this.#isRefusing = true;
    this.#connections.endIdle();
    for (let looks = 0; this.#connections.open > 0; looks++) {
      if (looks >= (this.#connections.underWay > 0 ? MAX_ANSWER_LOOKS : LINGER_LOOKS)) break;
      await sleep(LOOK_MS);
      await nextTurn();
      this.#connections.endIdle();
    }
    this.app.server.closeAllConnections();
    await this.app.close().catch((error: NodeJS.ErrnoException) => {
      // It does not listen any more.
      if (error.code !== "ERR_SERVER_NOT_RUNNING") throw error;
    });
  }
}

/** On a busy machine requests may have come that nobody has looked at yet, and connections would pass for idle. */
async function untilRead(): Promise<void> {
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    const began = performance.now();
    await nextTurn();
    if (turn >= MIN_TURNS && performance.now() - began < SHORT_TURN_MS) return;
  }
}

/** Its connection is reset when it is closed, so it may not be the last one: the answer would be lost. */
function hasUnreadBody({ headers, raw }: FastifyRequest): boolean {
  const hasBody = headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
  return hasBody && !raw.complete;
}

/** The certificate comes with the first `setSecureContext`, before the address is listened on. */
function secureOptions(tls: TlsFiles) {
  return {
    requestCert: tls.requiresClientCertificate,
    handshakeTimeout: TLS_HANDSHAKE_TIMEOUT_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
}

/** `[::1]:4319` and `127.0.0.1:4319` to their parts; an empty host means all addresses. */
export function splitHostPort(hostPort: string): { host: string; port: number } {
  const colon = hostPort.lastIndexOf(":");
  const host = hostPort.slice(0, colon).replace(/^\[|\]$/g, "");
  return { host: host === "" ? "0.0.0.0" : host, port: Number(hostPort.slice(colon + 1)) };
}
