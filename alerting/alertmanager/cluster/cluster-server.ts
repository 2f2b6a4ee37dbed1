import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { InvalidInputError, statusOf, TooLargeError, UnauthenticatedError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import { type ClusterMessage, parseClusterMessage } from "./cluster-message.ts";
import type { ClusterTls } from "./cluster-tls.ts";

const MAX_BODY_BYTES = 64 * 1024 * 1024;
export const CLUSTER_PATH = "/alertmanager-cluster/v1";

export type ClusterServerOptions = {
  readonly host: string;
  readonly port: number;
  /** Undefined: it is plain HTTP. */
  readonly tls: ClusterTls | undefined;
  /** Who posts has to know it; empty: nobody has to. */
  readonly secret: string;
  readonly logger: Logger;
  readonly handle: (message: ClusterMessage) => Promise<ClusterMessage>;
};

/** Where other replicas post to. */
export class ClusterServer {
  readonly #options: ClusterServerOptions;
  readonly #server: Server;

  constructor(options: ClusterServerOptions) {
    this.#options = options;
    const answer = (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response);
    this.#server = options.tls ? secureServer(options.tls, answer) : createServer(answer);
  }

  /** Gives the port. Throws `InvalidInputError` when it can't listen. */
  async start(): Promise<number> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (cause) =>
        reject(new InvalidInputError(`alerting.alertmanager.cluster.listen: ${cause.message}`, { cause })),
      );
      this.#server.listen(port, host, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (request.method !== "POST" || request.url !== CLUSTER_PATH) {
        response.writeHead(404).end();
        return;
      }
      assertSecret(this.#options.secret, request.headers.authorization);
      const answer = await this.#options.handle(parseClusterMessage(await readBody(request)));
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    } catch (error) {
      const { http } = statusOf(error);
      if (http === 500) this.#options.logger.error("a message of a replica was not taken", { error });
      if (!response.headersSent) response.writeHead(http, { "content-type": "text/plain", connection: "close" });
      response.end(`${(error as Error).message}\n`);
    }
  }
}

function secureServer(tls: ClusterTls, answer: RequestListener): SecureServer {
  const server = createSecureServer({ requestCert: tls.requiresClientCertificate }, answer);
  tls.subscribe((context) => server.setSecureContext(context));
  return server;
}

function assertSecret(secret: string, authorization: string | undefined): void {
  if (secret === "") return;
  const digest = (text: string) => createHash("sha256").update(text).digest();
  if (!timingSafeEqual(digest(`Bearer ${secret}`), digest(authorization ?? ""))) {
    throw new UnauthenticatedError("alerting.alertmanager.cluster.secret_file holds another secret");
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BODY_BYTES) throw new TooLargeError(`a message of a replica has more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
