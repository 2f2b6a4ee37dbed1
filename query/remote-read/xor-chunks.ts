import { wordsOf } from "@sightline/model/stale.ts";
import { BitWriter } from "./bit-writer.ts";
import { type Chunk, SAMPLES_PER_CHUNK, XOR_CHUNK } from "./chunk.ts";
import { fitsSigned } from "./varbit.ts";
import { XorValues } from "./xor-values.ts";

const COUNT_BYTES = 2;

/** Float samples as XOR chunks (tsdb/chunkenc/xor.go). `timesMs` ascend and are integers. */
export function* xorChunks(timesMs: Float64Array, values: Float64Array): Generator<Chunk> {
  const words = wordsOf(values);
  for (let from = 0; from < timesMs.length; from += SAMPLES_PER_CHUNK) {
    const to = Math.min(from + SAMPLES_PER_CHUNK, timesMs.length);
    const data = encode(timesMs, words, from, to);
    yield {
      minTimeMs: timesMs[from] as number,
      maxTimeMs: timesMs[to - 1] as number,
      encoding: XOR_CHUNK,
      data,
    };
  }
}

function encode(timesMs: Float64Array, words: Uint32Array, from: number, to: number): Uint8Array {
  const bits = new BitWriter();
  bits.header(COUNT_BYTES);
  bits.setByte(0, (to - from) >> 8);
  bits.setByte(1, (to - from) & 255);
  const values = new XorValues();
  const firstMs = timesMs[from] as number;
  writeVarint(bits, zigzag(firstMs));
  values.first(bits, words[2 * from] as number, words[2 * from + 1] as number);
  let lastDelta = 0;
  for (let i = from + 1; i < to; i++) {
    const delta = (timesMs[i] as number) - (timesMs[i - 1] as number);
    if (i === from + 1) writeVarint(bits, BigInt(delta));
    else writeDeltaOfDelta(bits, delta - lastDelta);
    lastDelta = delta;
    values.next(bits, words[2 * i] as number, words[2 * i + 1] as number);
  }
  return bits.finish();
}

function writeDeltaOfDelta(bits: BitWriter, value: number): void {
  if (value === 0) {
    bits.write(0, 1);
  } else if (fitsSigned(value, 14)) {
    bits.write(0b10, 2);
    bits.write(value, 14);
  } else if (fitsSigned(value, 17)) {
    bits.write(0b110, 3);
    bits.write(value, 17);
  } else if (fitsSigned(value, 20)) {
    bits.write(0b1110, 4);
    bits.write(value, 20);
  } else {
    bits.write(0b1111, 4);
    bits.writeInteger(value, 64);
  }
}

function zigzag(value: number): bigint {
  const wide = BigInt(value);
  return wide < 0n ? -2n * wide - 1n : 2n * wide;
}

function writeVarint(bits: BitWriter, value: bigint): void {
  let rest = value;
  while (rest > 127n) {
    bits.write(Number(rest & 127n) | 128, 8);
    rest >>= 7n;
  }
  bits.write(Number(rest), 8);
}
