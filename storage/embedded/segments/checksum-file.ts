import { open } from "node:fs/promises";
import { crc32 } from "node:zlib";

const READ_BYTES = 1 << 20;

/** CRC-32 and size of a file, read in pieces. With `sync` the file is made durable first. */
export async function checksumFile(
  path: string,
  { sync = false }: { readonly sync?: boolean } = {},
): Promise<{ readonly crc: number; readonly bytes: number }> {
  const file = await open(path, sync ? "r+" : "r");
  try {
    if (sync) await file.sync();
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    let crc = 0;
    let bytes = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES, bytes);
      if (bytesRead === 0) return { crc, bytes };
      crc = crc32(buffer.subarray(0, bytesRead), crc);
      bytes += bytesRead;
    }
  } finally {
    await file.close();
  }
}
