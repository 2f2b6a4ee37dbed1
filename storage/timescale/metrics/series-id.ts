import { hash } from "node:crypto";
import { type Label, type Labels, labelsKey, labelValue, METRIC_NAME } from "@sightline/model/labels.ts";
import type { TenantId } from "@sightline/model/tenant.ts";

/**
 * Every process finds the same id for the same series without asking anybody: 16 bits of a hash of tenant and metric name,
 * so that series of one metric are neighbours in every index, then 47 bits of a hash of the labels. Two series of one metric
 * can have the same id (at a million of them with a chance of 1 in 300): then `digest` differs, and the second one takes the
 * next id that is free.
 */
const BUCKET_BITS = 47n;
const LABEL_MASK = (1n << BUCKET_BITS) - 1n;

export type SeriesIdentity = { readonly id: bigint; readonly digest: bigint };

export function seriesIdentity(tenant: TenantId, labels: Labels): SeriesIdentity {
  const digest = hash("sha256", `${tenant}\u0000${labelsKey(labels)}`, "buffer");
  const bucket = BigInt(bucketOf(tenant, labelValue(labels, METRIC_NAME)));
  return {
    id: (bucket << BUCKET_BITS) | (digest.readBigUInt64BE(0) & LABEL_MASK),
    digest: digest.readBigInt64BE(8),
  };
}

/** The next one of the same metric. */
export function nextId(id: bigint): bigint {
  return (id & ~LABEL_MASK) | ((id + 1n) & LABEL_MASK);
}

/** The number that the ids of this metric's series begin with; other metrics may have the same. */
export function bucketOf(tenant: TenantId, metric: string): number {
  return hash("sha256", `${tenant}\u0000${metric}`, "buffer").readUInt16BE(0);
}

export function bucketOfId(id: bigint): number {
  return Number(id >> BUCKET_BITS);
}

/** The bits of an id that are not its bucket: exact as a double. */
export function restOfId(id: bigint): number {
  return Number(id & LABEL_MASK);
}

export function idOf(bucket: number, rest: number): bigint {
  return (BigInt(bucket) << BUCKET_BITS) | BigInt(rest);
}

/** Both ends included. */
export function idRange(bucket: number): readonly [low: bigint, high: bigint] {
  const low = BigInt(bucket) << BUCKET_BITS;
  return [low, low | LABEL_MASK];
}

/** For the index on `series.pairs`: that a series has this label. Others may have the same hash. */
export function pairHash(tenant: TenantId, [name, value]: Label): bigint {
  return hash64(`${tenant}\u0000${name}\u0000${value}`);
}

/** That a series has a label of this name. */
export function nameHash(tenant: TenantId, name: string): bigint {
  return hash64(`${tenant}\u0000${name}`);
}

/** Two FNV-1a like hashes with different multipliers: not safe against chosen input, which only makes a query slower. */
export function hash64(text: string): bigint {
  let low = 0x811c9dc5 | 0;
  let high = 0x9e3779b9 | 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x85ebca6b);
    high ^= high >>> 15;
  }
  low ^= low >>> 13;
  return BigInt.asIntN(64, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
}

/** Of what is not a series: safe against chosen input. */
export function digest64(text: string): bigint {
  return hash("sha256", text, "buffer").readBigInt64BE(0);
}
