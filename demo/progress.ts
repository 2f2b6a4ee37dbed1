import type { SentCounts } from "./otlp-sender.ts";

const TTY_INTERVAL_MS = 250;
const PLAIN_INTERVAL_MS = 10_000;

/** Tells how far the demo is: one line that is written over on a terminal, a line now and then elsewhere. */
export class Progress {
  readonly #output: NodeJS.WriteStream;
  #shownAtMs = 0;

  constructor(output: NodeJS.WriteStream) {
    this.#output = output;
  }

  /** `share` is how much of a backfill is done, from 0 to 1. */
  update(visits: number, sent: SentCounts, share?: number): void {
    const nowMs = Date.now();
    if (nowMs - this.#shownAtMs < (this.#output.isTTY ? TTY_INTERVAL_MS : PLAIN_INTERVAL_MS)) return;
    this.#shownAtMs = nowMs;
    const line = (share === undefined ? "" : `history ${Math.round(share * 100)} %: `) + countsLine(visits, sent);
    this.#output.write(this.#output.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
  }

  finish(visits: number, sent: SentCounts): void {
    this.#output.write(`${this.#output.isTTY ? "\r\u001b[K" : ""}sent: ${countsLine(visits, sent)}\n`);
  }
}

export function countsLine(visits: number, { spans, logs, points, failedRequests }: SentCounts): string {
  const failed = failedRequests > 0 ? `, ${failedRequests} requests FAILED` : "";
  return `${visits} visits, ${spans} spans, ${logs} log records, ${points} data points accepted${failed}`;
}
