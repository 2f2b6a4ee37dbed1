/** The steps at which samples are computed: `startNs`, `startNs + stepNs`, … so many of them. */
export type StepGrid = {
  readonly startNs: bigint;
  readonly stepNs: bigint;
  readonly count: number;
};

const NS_PER_MS = 1_000_000n;

export function instantGrid(timeNs: bigint): StepGrid {
  return { startNs: timeNs, stepNs: 1n, count: 1 };
}

/** Steps at multiples of the step, from the last before the start to the first after the end, as Loki's frontend has it. */
export function alignedGrid(startNs: bigint, endNs: bigint, stepNs: bigint): StepGrid {
  const alignedStart = startNs - (startNs % stepNs);
  const rest = endNs % stepNs;
  const alignedEnd = rest === 0n ? endNs : endNs + stepNs - rest;
  return { startNs: alignedStart, stepNs, count: Number((alignedEnd - alignedStart) / stepNs) + 1 };
}

export function timesMsOf({ startNs, stepNs, count }: StepGrid): Float64Array {
  const timesMs = new Float64Array(count);
  for (let i = 0; i < count; i++) timesMs[i] = Number((startNs + stepNs * BigInt(i)) / NS_PER_MS);
  return timesMs;
}
