import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { Acceptors, assertPortIsFree, CAN_SHARE_PORT } from "./acceptors.ts";

const server = createServer((_request, response) => response.end("fine"));
const acceptors = new Acceptors();
afterEach(() => {
  acceptors.stop();
  server.close();
});

test.runIf(CAN_SHARE_PORT)("every connection is answered, on whichever socket it comes", async () => {
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0, reusePort: true }, resolve));
  const { port } = server.address() as AddressInfo;
  await acceptors.start(server, { host: "127.0.0.1", port });
  await expect(assertPortIsFree({ host: "127.0.0.1", port })).rejects.toThrow(/EADDRINUSE/);
  const ask = () =>
    new Promise((resolve, reject) => {
      get({ host: "127.0.0.1", port, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).once("error", reject);
    });
  const statuses = await Promise.all(Array.from({ length: 50 }, ask));
  expect(new Set(statuses)).toEqual(new Set([200]));
});
