import type { Random } from "../random.ts";

const MAX_BYTES = 1 << 16;
const ODD_BYTES = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

/** Knows nothing of the format: bits, bytes, lost, repeated and foreign pieces. */
export function mutateBytes(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let bytes: Buffer = Buffer.from(input);
  for (let count = 1 + random.below(4); count > 0; count--)
    bytes = MUTATIONS[random.below(MUTATIONS.length)]?.(bytes, other, random) ?? bytes;
  return bytes.subarray(0, MAX_BYTES);
}

type Mutation = (bytes: Buffer, other: Uint8Array, random: Random) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  (bytes, _, random) => changed(bytes, random, (byte) => byte ^ (1 << random.below(8))),
  (bytes, _, random) => changed(bytes, random, () => random.below(256)),
  (bytes, _, random) => changed(bytes, random, () => random.one(ODD_BYTES)),
  (bytes, _, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, _, random) => {
    const [from, to] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  (bytes, _, random) => {
    const [from, to] = range(bytes, random);
    const times = random.chance(0.05) ? random.below(1_000) : 1 + random.below(3);
    const piece = bytes.subarray(from, Math.min(to, from + 64));
    return Buffer.concat([bytes.subarray(0, to), ...Array.from({ length: times }, () => piece), bytes.subarray(to)]);
  },
  (bytes, other, random) => {
    const [from, to] = range(bytes, random);
    const [start, end] = range(other, random);
    return Buffer.concat([bytes.subarray(0, from), other.subarray(start, end), bytes.subarray(to)]);
  },
];

function changed(bytes: Buffer, random: Random, change: (byte: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  const at = random.below(copy.length);
  if (copy.length > 0) copy[at] = change(copy[at] as number);
  return copy;
}

function range(bytes: Uint8Array, random: Random): [from: number, to: number] {
  const [a, b] = [random.below(bytes.length + 1), random.below(bytes.length + 1)];
  return a < b ? [a, b] : [b, a];
}
