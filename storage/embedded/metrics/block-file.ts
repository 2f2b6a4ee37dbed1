import { CorruptionError } from "@sightline/model/errors.ts";
import type { PagePlace } from "./block-index.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";

/**
 * A block file: magic and version, pages, index, trailer. The trailer has a fixed length and says where the index is;
 * the index says where the pages are. Everything between the magics is covered by a CRC-32.
 */
export const BLOCK_MAGIC = Buffer.from("SLMB0001", "latin1");
export const TRAILER_BYTES = 8 + 8 + 4 + BLOCK_MAGIC.length;

export function packTrailer(index: PagePlace): Uint8Array {
  const out = new ByteWriter();
  out.f64(index.offset);
  out.f64(index.length);
  out.u32(index.crc);
  out.bytes(BLOCK_MAGIC);
  return out.written();
}

/** Throws {@link CorruptionError} when this is not the end of a block file of `fileBytes` bytes. */
export function unpackTrailer(bytes: Uint8Array, fileBytes: number): PagePlace {
  const reader = new ByteReader(bytes);
  const place = { offset: reader.f64(), length: reader.f64(), crc: reader.u32() };
  const magic = Buffer.from(reader.view(BLOCK_MAGIC.length));
  if (!magic.equals(BLOCK_MAGIC)) throw new CorruptionError("it does not end like a block file");
  if (!(place.offset >= 0 && place.offset + place.length + TRAILER_BYTES === fileBytes)) {
    throw new CorruptionError("its length is not the one it was written with");
  }
  return place;
}
