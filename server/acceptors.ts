import { once } from "node:events";
import { createServer, type ListenOptions, type Server } from "node:net";

/**
 * libuv accepts one connection per listening socket and turn of the event loop, so that under load, with turns of tens of
 * milliseconds, new clients would wait for seconds. The kernel shares connections out among sockets that listen on the
 * same port together.
 */
const SOCKETS = 8;

/** Whether sockets can listen on one port together (SO_REUSEPORT as Linux has it). */
export const CAN_SHARE_PORT = process.platform === "linux";

/** Throws EADDRINUSE when somebody listens there, which sockets that share their port would not notice. */
export async function assertPortIsFree(options: ListenOptions): Promise<void> {
  const probe = createServer();
  probe.listen(options);
  // Rejects with the error that comes instead.
  await once(probe, "listening");
  probe.close();
  await once(probe, "close");
}

export function openConnections(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((error, count) => resolve(error ? 0 : count)));
}

/** More sockets on the port of `server`, whose connections are handed to it. `server` must share its port. */
export class Acceptors {
  readonly #sockets: Server[] = [];

  async start(server: Server, options: ListenOptions): Promise<void> {
    while (this.#sockets.length < SOCKETS - 1) {
      const socket = createServer({ noDelay: true, allowHalfOpen: true }, (connection) =>
        server.emit("connection", connection),
      );
      socket.listen({ ...options, reusePort: true });
      await once(socket, "listening");
      this.#sockets.push(socket);
    }
  }

  /** Nobody can connect any more; connections that were accepted go on. */
  stop(): void {
    for (const socket of this.#sockets) if (socket.listening) socket.close();
  }

  /** That were accepted here and are open. */
  async connections(): Promise<number> {
    const counts = await Promise.all(this.#sockets.map(openConnections));
    return counts.reduce((sum, count) => sum + count, 0);
  }
}
