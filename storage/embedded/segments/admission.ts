import type { Rejection, RejectionReason } from "@sightline/model/ports.ts";
import type { SegmentCodec } from "./segment-codec.ts";

/** What of a batch may be kept, and the first and last time of it. Without `kept` there is nothing. */
export type Admission<Batch> = {
  readonly kept: Batch | undefined;
  readonly minNs: bigint;
  readonly maxNs: bigint;
  readonly rejected: readonly Rejection[];
};

/** Refuses rows out of the time that is kept, and those that the codec can't keep. */
export function admit<Batch extends { readonly length: number }>(
  batch: Batch,
  codec: Pick<SegmentCodec<Batch, unknown>, "signal" | "timesOf" | "pick" | "refusal">,
  limits: { readonly retention: number; readonly max_future: number },
  nowMs: number,
): Admission<Batch> {
  const oldestNs = BigInt(Math.floor(nowMs - limits.retention)) * 1_000_000n;
  const newestNs = BigInt(Math.floor(nowMs + limits.max_future)) * 1_000_000n;
  const timesNs = codec.timesOf(batch);
  const rejected = new Map<RejectionReason, { count: number; readonly message: string }>();
  const reject = (reason: RejectionReason, message: () => string) => {
    const known = rejected.get(reason);
    if (known) known.count++;
    else rejected.set(reason, { count: 1, message: message() });
  };
  const rows = new Uint32Array(batch.length);
  let count = 0;
  let minNs = 0n;
  let maxNs = 0n;
  for (let row = 0; row < batch.length; row++) {
    const time = timesNs[row] as bigint;
    const refusal = codec.refusal(batch, row);
    if (refusal !== undefined) reject("invalid", () => refusal);
    else if (time < oldestNs) reject("too_old", () => describeTime(time, "is older than", "retention", codec.signal));
    else if (time > newestNs) {
      reject("too_new", () => describeTime(time, "is further ahead of the clock than", "max_future", codec.signal));
    } else {
      if (count === 0 || time < minNs) minNs = time;
      if (count === 0 || time > maxNs) maxNs = time;
      rows[count++] = row;
    }
  }
  const kept = count === batch.length ? batch : codec.pick(batch, rows.slice(0, count));
  return {
    kept: count === 0 ? undefined : kept,
    minNs,
    maxNs,
    rejected: [...rejected].map(([reason, { count, message }]) => ({ reason, count, message })),
  };
}

function describeTime(timeNs: bigint, problem: string, key: string, signal: string): string {
  const milliseconds = Number(timeNs / 1_000_000n);
  const time = Math.abs(milliseconds) <= 8.64e15 ? new Date(milliseconds).toISOString() : `${timeNs} ns`;
  return `the time ${time} ${problem} storage.${signal}.${key} allows; send it in time or raise the setting`;
}
