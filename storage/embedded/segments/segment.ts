import type { TenantId } from "@sightline/model/tenant.ts";
import { z } from "zod";
import type { StoredDeletion } from "./deletion.ts";

/**
 * One immutable pair of files: `<id>.parquet` with the rows and `<id>.index` with what is known of them at a glance.
 * It holds rows of one tenant and one day (of event time, UTC).
 */
export type SegmentInfo = {
  readonly id: number;
  readonly tenant: TenantId;
  /** Days since the epoch. */
  readonly day: number;
  /** First and last event time in ns, both included. */
  readonly minNs: bigint;
  readonly maxNs: bigint;
  readonly rows: number;
  /** Of both files. */
  readonly bytes: number;
  /** CRC-32 of each file. */
  readonly dataCrc: number;
  readonly indexCrc: number;
};

/** The manifest: the segments that count, and up to which write-ahead position rows are in them. */
export type SegmentManifest = {
  readonly version: typeof MANIFEST_VERSION;
  readonly flushedPosition: number;
  readonly segments: readonly StoredInfo[];
  /** Oldest first; absent before there was the first one. */
  readonly deletions?: readonly StoredDeletion[];
};
type StoredInfo = Omit<SegmentInfo, "minNs" | "maxNs"> & { readonly minNs: string; readonly maxNs: string };

const MANIFEST_VERSION = 1;
export const EMPTY_MANIFEST: SegmentManifest = { version: MANIFEST_VERSION, flushedPosition: -1, segments: [] };
const DAY_NS = 86_400_000_000_000n;

const NS = z.string().regex(/^-?\d{1,20}$/);
/** Fields that a later version adds stay. */
const segmentManifest = z.looseObject({
  version: z.literal(MANIFEST_VERSION),
  flushedPosition: z.number(),
  segments: z.array(
    z.looseObject({
      id: z.number().int(),
      tenant: z.string(),
      day: z.number(),
      minNs: NS,
      maxNs: NS,
      rows: z.number(),
      bytes: z.number(),
      dataCrc: z.number(),
      indexCrc: z.number(),
    }),
  ),
  deletions: z
    .array(
      z.looseObject({
        id: z.number().int(),
        tenant: z.string(),
        startNs: NS,
        endNs: NS,
        hidden: z.array(z.looseObject({ segment: z.number().int(), rows: z.number() })),
      }),
    )
    .optional(),
});

/** Throws when `json` is no manifest, or was written by a version that this one does not know. */
export function parseManifest(json: unknown): SegmentManifest {
  const { version } = json as { version?: unknown };
  if (version !== MANIFEST_VERSION) {
    throw new Error(`its version is ${version}, this program reads version ${MANIFEST_VERSION}`);
  }
  segmentManifest.parse(json);
  return json as SegmentManifest;
}

export function storedInfo(info: SegmentInfo): StoredInfo {
  return { ...info, minNs: String(info.minNs), maxNs: String(info.maxNs) };
}

export function infoFromStored(stored: StoredInfo): SegmentInfo {
  return { ...stored, minNs: BigInt(stored.minNs), maxNs: BigInt(stored.maxNs) };
}

/** The day of event time a row belongs to, also right before 1970. */
export function dayOf(timeNs: bigint): number {
  const day = timeNs / DAY_NS;
  return Number(timeNs < 0n && timeNs % DAY_NS !== 0n ? day - 1n : day);
}
