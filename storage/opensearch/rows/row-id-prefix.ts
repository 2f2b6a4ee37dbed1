import type { HotBatch } from "./hot-rows.ts";
import type { Row, RowCodec } from "./row-codec.ts";

/**
 * What ids of a batch's rows begin with; the rest is the row's number. They are the same whenever the batch is written: where the codec
 * has a digest, by whichever process, so that a request that a client sends again is there once. Ids of one time begin alike: Lucene finds
 * sooner then that one is new.
 */
export function rowIdPrefix<Batch extends { readonly length: number }, R extends Row>(
  codec: Pick<RowCodec<Batch, R>, "digestOf">,
  { tenant, batch, position, minNs }: Pick<HotBatch<Batch>, "tenant" | "batch" | "position" | "minNs">,
  writer: string,
): string {
  const digest = codec.digestOf?.(tenant, batch);
  return digest === undefined ? `${writer}-${position.toString(36)}-` : `${minNs.toString(36)}-${digest}-`;
}
