import type { Block } from "./block.ts";
import type { Deletion } from "./deletion.ts";
import type { BlockEntry } from "./tenant-manifest.ts";

/** A block and what the manifest says of it; `deleted` is what its file has but nobody must see. */
export type ListedBlock = BlockEntry & { readonly block: Block; readonly deleted: readonly Deletion[] };
