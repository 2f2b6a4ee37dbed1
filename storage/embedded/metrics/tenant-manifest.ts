import { z } from "zod";

const FILE_NAME = z.string().regex(/^[\w.-]+$/);

/** Which files of a tenant's directory count, and up to which position of the log they hold everything. */
const tenantManifest = z.object({
  /** 2: there are deletions, or downsampled blocks. Who does not know them must not read the files. */
  version: z.union([z.literal(1), z.literal(2)]),
  /** Batches up to here are in the files; absent when none is. */
  flushedPosition: z.number().optional(),
  /** Number of the next file. Names are never used twice. */
  nextFile: z.number().int(),
  /** In the order they were first written: of a sample that is in two, the first one counts. */
  blocks: z.array(
    z.object({
      file: FILE_NAME,
      partition: z.number().int(),
      minTimeMs: z.number(),
      maxTimeMs: z.number(),
      samples: z.number(),
      series: z.number(),
      bytes: z.number(),
      /** What is deleted of it though it still has it: numbers of deletions, ascending. */
      deletions: z.array(z.number().int()).optional(),
      /** Its samples were thinned out; with windows, those are in a file beside it. */
      downsampled: z.object({ resolutionMs: z.number(), windows: z.boolean() }).optional(),
    }),
  ),
  sideData: z.object({ file: FILE_NAME, crc: z.number() }).optional(),
  /** Those that blocks name, ascending. */
  deletions: z
    .array(
      z.object({
        id: z.number().int(),
        startMs: z.number(),
        endMs: z.number(),
        matchers: z.array(z.object({ name: z.string(), op: z.enum(["=", "!=", "=~", "!~"]), value: z.string() })),
      }),
    )
    .optional(),
});
export type TenantManifest = z.output<typeof tenantManifest>;
export type BlockEntry = TenantManifest["blocks"][number];

export const EMPTY_MANIFEST: TenantManifest = { version: 1, nextFile: 1, blocks: [] };

export function parseTenantManifest(json: unknown): TenantManifest {
  return tenantManifest.parse(json);
}
