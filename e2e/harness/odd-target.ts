import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A scrape target in OpenMetrics whose series do what is rare in real ones. */
export type OddTarget = { readonly address: string; stop(): void };

/** Resets, NaN and infinities, series that come and go, exemplars, names that need quoting. Deterministic per second. */
export async function startOddTarget(): Promise<OddTarget> {
  const server = createServer((_, response) => {
    response.setHeader(
      "content-type",
      "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
    );
    response.end(exposition(Date.now() / 1000));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function exposition(seconds: number): string {
  const second = Math.floor(seconds);
  const lines = ["# HELP odd_gauge Values of all kinds.", "# TYPE odd_gauge gauge"];
  const gauge = (kind: string, value: number | string) => lines.push(`odd_gauge{kind="${kind}"} ${value}`);
  gauge("sine", Math.sin(seconds / 10));
  gauge("saw", second % 17);
  gauge("huge", 1e300 * (second % 5));
  gauge("tiny", 1e-310 * (second % 7));
  gauge("negative", -seconds);
  gauge("nan", second % 4 === 0 ? "NaN" : 1);
  gauge("infinite", second % 6 === 0 ? "+Inf" : second % 6 === 3 ? "-Inf" : 0);
  lines.push("# TYPE odd_comes_and_goes gauge");
  if (second % 20 < 10) lines.push(`odd_comes_and_goes{half="first"} ${second}`);
  if (second % 30 < 25) lines.push(`odd_comes_and_goes{half="mostly"} ${second % 30}`);
  lines.push("# TYPE odd_resets counter", `odd_resets_total ${(second % 23) * 3}`);
  lines.push("# TYPE odd_seconds counter", `odd_seconds_total ${(seconds % 100_000).toFixed(3)}`);
  lines.push("# TYPE odd_exemplars counter");
  lines.push(`odd_exemplars_total ${second} # {trace_id="${second.toString(16).padStart(32, "0")}"} 1 ${second}`);
  lines.push('# TYPE "odd.dotted" gauge', `{"odd.dotted","host.name"="a.b"} ${second % 3}`);
  lines.push("# TYPE odd_latency histogram");
  const count = second % 100_000;
  for (const [le, share] of [
    ["0.1", 0.5],
    ["1.0", 0.7],
    ["10.0", 0.7],
    ["+Inf", 1],
  ] as const) {
    lines.push(`odd_latency_bucket{le="${le}"} ${Math.floor(count * share)}`);
  }
  lines.push(`odd_latency_sum ${count / 7}`, `odd_latency_count ${count}`, "# EOF", "");
  return lines.join("\n");
}
