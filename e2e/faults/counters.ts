import { call } from "../harness/http-call.ts";
import type { ServerProcess } from "../harness/server-process.ts";

/** What the server tells of itself: values by name and labels, as Prometheus prints them. */
export async function readCounters(server: ServerProcess): Promise<ReadonlyMap<string, number>> {
  const { text } = await call(`${server.url}/metrics`);
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}
