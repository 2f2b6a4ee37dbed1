import type { Measurement } from "./measure.ts";

/** The figures as text, one table for what was taken in and one for what was asked. */
export function formatReport(measurements: readonly Measurement[]): string {
  const ingest = measurements.map((m) => [
    m.workload,
    `${Math.round(m.itemsPerSecond).toLocaleString("en")} ${m.unit}/s`,
    m.cpuSecondsPerMillion.toFixed(2),
    String(m.peakMemoryMiB),
    m.diskBytesPerItem.toFixed(2),
    `${m.requestP50Ms.toFixed(1)} / ${m.requestP99Ms.toFixed(1)}`,
    `${m.refused} / ${m.retries}`,
    String(Math.round(m.restartMs)),
  ]);
  const queries = measurements.flatMap((m) =>
    m.queries.map((q) => [q.name, q.firstMs.toFixed(1), q.p50Ms.toFixed(1), q.p99Ms.toFixed(1), String(q.bytes)]),
  );
  const ingestHead = [
    "workload",
    "taken in",
    "CPU-s / million",
    "peak MiB",
    "disk B/item",
    "request p50/p99 ms",
    "refused / retried",
    "restart ms",
  ];
  return `${table(ingestHead, ingest)}\n\n${table(["query", "first ms", "p50 ms", "p99 ms", "bytes"], queries)}\n`;
}

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] as number)).join(" | ")} |`;
  return [line(head), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...rows.map(line)].join("\n");
}
