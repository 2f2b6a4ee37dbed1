import { z } from "zod";

/** Which files of a tenant's directory count, and up to which position of the log they hold everything. */
const tenantManifest = z.object({
  version: z.literal(1),
  /** Batches up to here are in the files; absent when none is. */
  flushedPosition: z.number().optional(),
  /** Number of the next file. Names are never used twice. */
  nextFile: z.number().int(),
  /** In the order they were first written: of a sample that is in two, the first one counts. */
  blocks: z.array(
    z.object({
      file: z.string().regex(/^[\w.-]+$/),
      partition: z.number().int(),
      minTimeMs: z.number(),
      maxTimeMs: z.number(),
      samples: z.number(),
      series: z.number(),
      bytes: z.number(),
    }),
  ),
  sideData: z.object({ file: z.string().regex(/^[\w.-]+$/), crc: z.number() }).optional(),
});
export type TenantManifest = z.output<typeof tenantManifest>;
export type BlockEntry = TenantManifest["blocks"][number];

export const EMPTY_MANIFEST: TenantManifest = { version: 1, nextFile: 1, blocks: [] };

export function parseTenantManifest(json: unknown): TenantManifest {
  return tenantManifest.parse(json);
}
