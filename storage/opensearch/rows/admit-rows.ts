import type { Rejection, RejectionReason } from "@sightline/model/ports.ts";
import type { Row, RowCodec } from "./row-codec.ts";

export type Admission = {
  /** Numbers of the rows that may be kept, ascending. */
  readonly rows: Uint32Array;
  /** First and last time of these. */
  readonly minNs: bigint;
  readonly maxNs: bigint;
  readonly rejected: readonly Rejection[];
};
/** In ms. */
export type TimeLimits = { readonly retention: number; readonly max_future: number };

/** Refuses rows out of the time that is kept, and those that the codec can't keep. */
export function admitRows<Batch extends { readonly length: number }, R extends Row>(
  batch: Batch,
  codec: Pick<RowCodec<Batch, R>, "signal" | "timesOf" | "refusal">,
  limits: TimeLimits,
  nowMs: number,
): Admission {
  const oldestNs = BigInt(Math.floor(nowMs - limits.retention)) * 1_000_000n;
  const newestNs = BigInt(Math.floor(nowMs + limits.max_future)) * 1_000_000n;
  const times = codec.timesOf(batch);
  const rejected = new Map<RejectionReason, { count: number; readonly message: string }>();
  const rows = new Uint32Array(batch.length);
  let count = 0;
  let minNs = 0n;
  let maxNs = 0n;
  for (let row = 0; row < batch.length; row++) {
    const time = times[row] as bigint;
    const refusal = codec.refusal(batch, row);
    const reason = refusal !== undefined ? "invalid" : time < oldestNs ? "too_old" : time > newestNs ? "too_new" : "";
    if (reason === "") {
      if (count === 0 || time < minNs) minNs = time;
      if (count === 0 || time > maxNs) maxNs = time;
      rows[count++] = row;
      continue;
    }
    const known = rejected.get(reason);
    if (known) known.count++;
    else rejected.set(reason, { count: 1, message: refusal ?? describeTime(time, reason, codec.signal) });
  }
  return {
    rows: rows.slice(0, count),
    minNs,
    maxNs,
    rejected: [...rejected].map(([reason, { count, message }]) => ({ reason, count, message })),
  };
}

function describeTime(timeNs: bigint, reason: string, signal: string): string {
  const milliseconds = Number(timeNs / 1_000_000n);
  const time = Math.abs(milliseconds) <= 8.64e15 ? new Date(milliseconds).toISOString() : `${timeNs} ns`;
  const [problem, key] =
    reason === "too_old" ? ["is older than", "retention"] : ["is further ahead of the clock than", "max_future"];
  return `the time ${time} ${problem} storage.${signal}.${key} allows; send it in time or raise the setting`;
}
