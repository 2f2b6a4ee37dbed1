import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below those that systems give to connections that go out: else one of these could take a port before its program does. */
const [FIRST, LAST] = [20_000, 32_000];
const given = new Set<number>();

/**
 * A port of loopback that was free a moment ago, for programs that can't pick one themselves, or that must be found again where they
 * were. None is given twice.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
