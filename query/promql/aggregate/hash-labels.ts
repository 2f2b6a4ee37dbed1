import { type Labels, labelsKey } from "@sightline/model/labels.ts";

const MASK = (1n << 64n) - 1n;
const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;

/**
 * Where in 0…1 the hash of a label set lies: XXH64 of names and values, each after its length, as labels.Hash of a
 * Prometheus built the usual way does (labels_stringlabels.go), so that `limit_ratio` picks the same series.
 */
export function hashLabels(labels: Labels): number {
  const key = labelsKey(labels);
  let hash = cache.get(key);
  if (hash === undefined) {
    if (cache.size >= MAX_CACHED) cache.clear();
    hash = Number(xxh64(Buffer.concat(labels.flat().flatMap(withLength)))) / 2 ** 64;
    cache.set(key, hash);
  }
  return hash;
}

/** One byte for lengths up to 254, else 255 and three bytes. */
function withLength(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const { length } = bytes;
  const head = length < 255 ? [length] : [255, length & 255, (length >> 8) & 255, (length >> 16) & 255];
  return [Buffer.from(head), bytes];
}

const MAX_CACHED = 10_000;
const cache = new Map<string, number>();

function xxh64(bytes: Buffer): bigint {
  let at = 0;
  let hash: bigint;
  if (bytes.length >= 32) {
    const lanes = [mask(P1 + P2), P2, 0n, mask(-P1)];
    for (; at + 32 <= bytes.length; at += 32) {
      for (let lane = 0; lane < 4; lane++) {
        lanes[lane] = round(lanes[lane] as bigint, bytes.readBigUInt64LE(at + 8 * lane));
      }
    }
    hash = mask([1n, 7n, 12n, 18n].reduce((sum, bits, lane) => sum + rotate(lanes[lane] as bigint, bits), 0n));
    for (const lane of lanes) hash = mask((hash ^ round(0n, lane)) * P1 + P4);
  } else {
    hash = P5;
  }
  hash = mask(hash + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) {
    hash = mask(rotate(hash ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * P1 + P4);
  }
  if (at + 4 <= bytes.length) {
    hash = mask(rotate(hash ^ mask(BigInt(bytes.readUInt32LE(at)) * P1), 23n) * P2 + P3);
    at += 4;
  }
  for (; at < bytes.length; at++) hash = mask(rotate(hash ^ mask(BigInt(bytes[at] as number) * P5), 11n) * P1);
  hash = mask((hash ^ (hash >> 33n)) * P2);
  hash = mask((hash ^ (hash >> 29n)) * P3);
  return hash ^ (hash >> 32n);
}

function mask(value: bigint): bigint {
  return value & MASK;
}
function rotate(value: bigint, bits: bigint): bigint {
  return mask((value << bits) | (value >> (64n - bits)));
}
function round(accumulator: bigint, input: bigint): bigint {
  return mask(rotate(mask(accumulator + input * P2), 31n) * P1);
}
