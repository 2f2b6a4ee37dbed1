import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HttpListener } from "./http-listener.ts";

describe("a listener that stops", () => {
  let listener: HttpListener;
  let asked: string[];
  let answerSlow: () => void;
  let slowAsked: Promise<void>;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    asked = [];
    listener = new HttpListener({ key: "listen", hostPort: "127.0.0.1:0", logger: SILENT_LOGGER });
    const answering = Promise.withResolvers<void>();
    const asking = Promise.withResolvers<void>();
    answerSlow = answering.resolve;
    slowAsked = asking.promise;
    listener.app.get("/quick", async () => {
      asked.push("quick");
      return "quick";
    });
    listener.app.get("/slow", async () => {
      asking.resolve();
      await answering.promise;
      return "slow";
    });
    listener.app.post("/bytes", async (request) => `${(request.body as string).length}`);
    await listener.start();
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await listener.stop();
  });

  /** Fails the test when the connection is reset. */
  async function open(): Promise<Socket> {
    const { hostname, port } = new URL(listener.url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    sockets.push(socket);
    await once(socket, "connect");
    return socket;
  }
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  /** All that comes until the server ends the connection. */
  const answerOf = async (socket: Socket) => {
    const all = await text(socket);
    socket.end();
    return all;
  };

  test("answers what is under way, and that is the last answer of its connection", async () => {
    const socket = await open();
    socket.write(get("/slow"));
    await slowAsked;
    const stopped = listener.drain(0).then(() => listener.stop());
    answerSlow();
    const answer = await answerOf(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    expect(answer).toMatch(/slow$/);
    await stopped;
  });

  test("ends connections that do nothing, and what crosses with that is neither handled nor reset", async () => {
    const [socket, silent] = [await open(), await open()];
    socket.write(get("/quick"));
    await once(socket, "data");
    const stopped = listener.stop();
    expect(await text(socket)).toBe("");
    socket.write(get("/quick"));
    socket.end();
    expect(await answerOf(silent)).toBe("");
    await stopped;
    expect(asked).toEqual(["quick"]);
  });

  test("tells a request that was half there to come back", async () => {
    const socket = await open();
    const [head, rest] = [
      "POST /bytes HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n",
      "Content-Length: 3\r\n\r\nabc",
    ];
    const probe = await open();
    socket.write(head);
    // What is read later was sent later.
    probe.write(get("/quick"));
    await once(probe, "data");
    const stopped = listener.stop();
    // The other connection has been ended: so what is asked from now on is refused.
    await answerOf(probe);
    socket.write(rest);
    const answer = await answerOf(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).toMatch(/\r\nretry-after: 1\r\n/i);
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    await stopped;
    await expect(open()).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("that was never started stops, and stops again", async () => {
    const other = new HttpListener({ key: "listen", hostPort: "127.0.0.1:0", logger: SILENT_LOGGER });
    await other.stop();
    await other.stop();
  });
});
