import type { Server } from "node:http";
import type { Server as SecureServer } from "node:https";
import { type AddressInfo, Server as SocketServer } from "node:net";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { InvalidInputError, statusOf } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";
import fastify, { type FastifyHttpOptions, type FastifyInstance } from "fastify";
import { Acceptors, assertPortIsFree, CAN_SHARE_PORT, openConnections } from "./acceptors.ts";
import { refuseBrokenPath, refuseBrokenRequest } from "./refuse-broken-requests.ts";
import type { TlsFiles } from "./tls/tls-files.ts";

/** What every 401 must say (RFC 9110, section 11.6.1). */
const CHALLENGE = 'Bearer realm="sightline", Basic realm="sightline"';

/** As Go's server: long queries come by GET, too. */
const MAX_HEADER_BYTES = 1_048_576;
const DRAIN_LOOK_MS = 20;
const UNREAD_TURNS = 3;
/** What is still being answered when the process stops has so long. */
const MAX_ANSWER_MS = 10_000;
/** Connections that may wait to be accepted: with Node's 511, a burst of more leaves some hanging. */
const BACKLOG = 4_096;
const TLS_HANDSHAKE_TIMEOUT_MS = 10_000;
/** Every API reads the parameters of the URL by the rules of the server it stands in for; nobody has use for a second reading. */
const NO_PARAMETERS: Readonly<Record<string, unknown>> = Object.freeze({});

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
  #isDraining = false;
  /** Requests whose head has come and whose answer has not gone. */
  #underWay = 0;

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
    this.app.addHook("onRequest", (request, reply, done) => {
      // A WebSocket is closed by whoever opened it; its answer never ends.
      if (request.headers.upgrade === undefined) {
        this.#underWay++;
        reply.raw.once("close", () => {
          this.#underWay--;
        });
      }
      done();
    });
    this.app.addHook("onSend", (_request, reply, _payload, done) => {
      if (reply.statusCode === 401) reply.header("www-authenticate", CHALLENGE);
      if (this.#isDraining) reply.header("connection", "close");
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
   * middle of its next request. Settles when there are no connections left, or after `maxMs`: those that are left then do
   * nothing.
   */
  async drain(maxMs: number): Promise<void> {
    this.#isDraining = true;
    // Not that of HTTP, which also ends connections on which no request is being answered at the moment.
    this.#acceptors.stop();
    SocketServer.prototype.close.call(this.app.server);
    for (const deadline = performance.now() + maxMs; performance.now() < deadline; ) {
      if ((await this.#connections()) === 0) return;
      await sleep(DRAIN_LOOK_MS);
    }
    // On a busy machine requests may have come that nobody has looked at yet, and connections would pass for idle.
    for (let turn = 0; turn < UNREAD_TURNS; turn++) await nextTurn();
  }

  async #connections(): Promise<number> {
    return (await openConnections(this.app.server)) + (await this.#acceptors.connections());
  }

  /** Ends connections once all is answered that has been asked: one with half a request would stay for ever. */
  async stop(): Promise<void> {
    this.#acceptors.stop();
    const closing = this.app.close().catch((error: NodeJS.ErrnoException) => {
      // After `drain` there was nothing left to be closed.
      if (error.code !== "ERR_SERVER_NOT_RUNNING") throw error;
    });
    // Connections of the acceptors are none that `close` knows of.
    await Promise.all([closing, this.#closeWhenAnswered()]);
  }

  async #closeWhenAnswered(): Promise<void> {
    const deadline = performance.now() + MAX_ANSWER_MS;
    do await sleep(DRAIN_LOOK_MS);
    while (this.#underWay > 0 && performance.now() < deadline);
    this.app.server.closeAllConnections();
  }
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
