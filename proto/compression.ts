/**
 * Content encodings of request bodies. Whatever a body claims, no more than `maxBytes` (plus a constant for the codec's
 * own window) is ever allocated for it.
 */
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { InvalidInputError, TooLargeError } from "@sightline/model/errors.ts";
import { snappyUncompressor } from "hysnappy";
import type { ContentEncoding } from "./wire-request.ts";

/** Inflating this much takes the event loop about 0.6 ms, several times what it costs to have the thread pool do it. */
const MAX_SYNC_OUTPUT_BYTES = 256 * 1024;
const MAX_SYNC_INPUT_BYTES = 256 * 1024;

/**
 * The decompressed body; for `identity` the body itself, else a buffer of its own.
 * Throws {@link TooLargeError} for more than `maxBytes`, {@link InvalidInputError} for corrupt or truncated data.
 */
export function decompress(body: Uint8Array, encoding: ContentEncoding, maxBytes: number): Uint8Array {
  const codec = CODECS[encoding];
  const expected = expectedLength(codec, body, maxBytes);
  try {
    return codec.decompress(body, expected, maxBytes);
  } catch (cause) {
    throw decompressionError(cause, encoding, maxBytes);
  }
}

/** As {@link decompress}, but large bodies are inflated on another thread. `body` must stay unchanged meanwhile. */
export async function decompressAsync(
  body: Uint8Array,
  encoding: ContentEncoding,
  maxBytes: number,
): Promise<Uint8Array> {
  const codec = CODECS[encoding];
  if (!codec.decompressAsync) return decompress(body, encoding, maxBytes);
  const expected = expectedLength(codec, body, maxBytes);
  if (body.length <= MAX_SYNC_INPUT_BYTES && expected <= MAX_SYNC_OUTPUT_BYTES) {
    try {
      return codec.decompress(body, expected, Math.min(maxBytes, MAX_SYNC_OUTPUT_BYTES));
    } catch (cause) {
      // What a body claims to hold may be less than what it holds: start again, without holding anybody up.
      if (!isOutputTooLarge(cause) || maxBytes <= MAX_SYNC_OUTPUT_BYTES) {
        throw decompressionError(cause, encoding, maxBytes);
      }
    }
  }
  try {
    return await codec.decompressAsync(body, expected, maxBytes);
  } catch (cause) {
    throw decompressionError(cause, encoding, maxBytes);
  }
}

type Codec = {
  /** What the body itself says of its decompressed length: a hint that may be wrong, undefined when it says nothing. */
  claimedLength(body: Uint8Array): number | undefined;
  /** The claim binds the decoder, so that one above the limit is reason enough to refuse. */
  readonly claimIsBinding: boolean;
  /** Upper bound of decompressed bytes per compressed byte; keeps a wrong claim from costing memory. */
  readonly maxRatio: number;
  decompress(body: Uint8Array, expected: number, maxBytes: number): Uint8Array;
  decompressAsync?(body: Uint8Array, expected: number, maxBytes: number): Promise<Uint8Array>;
};

/** Bytes to set aside for the output at first. */
function expectedLength(codec: Codec, body: Uint8Array, maxBytes: number): number {
  const claimed = codec.claimedLength(body);
  if (codec.claimIsBinding && claimed !== undefined && claimed > maxBytes) throw tooLarge(maxBytes);
  return Math.min(claimed ?? 5 * body.length, body.length * codec.maxRatio, maxBytes);
}

const gunzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip);
const inflate = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.inflate);
const inflateRaw = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.inflateRaw);
const zstdDecompress = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

/** No deflate stream expands by more (zlib's technical notes). */
const DEFLATE_MAX_RATIO = 1032;
const MIN_CHUNK_BYTES = 16 * 1024;

const CODECS: Readonly<Record<ContentEncoding, Codec>> = {
  identity: {
    claimedLength: (body) => body.length,
    claimIsBinding: true,
    maxRatio: 1,
    decompress: (body) => body,
  },
  gzip: {
    // The trailer holds the length modulo 2^32 of the last member (RFC 1952, section 2.3.1).
    claimedLength: (body) => (body.length < 18 ? undefined : readUint32(body, body.length - 4)),
    claimIsBinding: false,
    maxRatio: DEFLATE_MAX_RATIO,
    decompress: (body, expected, maxBytes) => zlib.gunzipSync(body, zlibOptions(expected, maxBytes)),
    decompressAsync: (body, expected, maxBytes) => gunzip(body, zlibOptions(expected, maxBytes)),
  },
  deflate: {
    claimedLength: () => undefined,
    claimIsBinding: false,
    maxRatio: DEFLATE_MAX_RATIO,
    decompress: (body, expected, maxBytes) =>
      (hasZlibHeader(body) ? zlib.inflateSync : zlib.inflateRawSync)(body, zlibOptions(expected, maxBytes)),
    decompressAsync: (body, expected, maxBytes) =>
      (hasZlibHeader(body) ? inflate : inflateRaw)(body, zlibOptions(expected, maxBytes)),
  },
  zstd: {
    claimedLength: zstdContentSize,
    claimIsBinding: true,
    maxRatio: Number.POSITIVE_INFINITY,
    decompress: (body, expected, maxBytes) => zlib.zstdDecompressSync(body, zstdOptions(expected, maxBytes)),
    decompressAsync: (body, expected, maxBytes) => zstdDecompress(body, zstdOptions(expected, maxBytes)),
  },
  snappy: {
    claimedLength: snappyLength,
    claimIsBinding: true,
    // A copy of 64 bytes takes three.
    maxRatio: 22,
    decompress: decompressSnappy,
  },
};

function zlibOptions(expected: number, maxBytes: number): zlib.ZlibOptions {
  // One chunk for everything: a byte more than expected, because a full chunk makes zlib ask for another one.
  return { maxOutputLength: maxBytes, chunkSize: Math.max(MIN_CHUNK_BYTES, expected + 1) };
}

function zstdOptions(expected: number, maxBytes: number): zlib.ZstdOptions {
  // A frame may ask for a window far larger than its content; 8 MiB is what every decoder should grant (RFC 8878).
  const windowLog = Math.min(27, Math.max(23, Math.ceil(Math.log2(maxBytes))));
  return {
    maxOutputLength: maxBytes,
    chunkSize: Math.max(MIN_CHUNK_BYTES, expected + 1),
    params: { [zlib.constants.ZSTD_d_windowLogMax]: windowLog },
  };
}

/** RFC 1950, section 2.2. Some senders mean raw deflate by `deflate`, which hardly ever looks like that. */
function hasZlibHeader(body: Uint8Array): boolean {
  const [method = 0, flags = 0] = body;
  return (method & 0x0f) === 8 && ((method << 8) | flags) % 31 === 0;
}

const ZSTD_MAGIC = 0xfd2fb528;

/** Frame_Content_Size of the first frame (RFC 8878, section 3.1.1.1.4). */
function zstdContentSize(body: Uint8Array): number | undefined {
  if (body.length < 18 || readUint32(body, 0) !== ZSTD_MAGIC) return undefined;
  const descriptor = body[4] as number;
  const singleSegment = (descriptor >> 5) & 1;
  const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 3] as number;
  const at = 5 + (singleSegment ? 0 : 1) + dictionaryIdBytes;
  switch (descriptor >> 6) {
    case 0:
      return singleSegment ? body[at] : undefined;
    case 1:
      return 256 + ((body[at] as number) | ((body[at + 1] as number) << 8));
    case 2:
      return readUint32(body, at);
    default:
      return readUint32(body, at) + readUint32(body, at + 4) * 2 ** 32;
  }
}

/** The varint that a snappy block starts with. */
function snappyLength(body: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < 5 && i < body.length; i++) {
    const byte = body[i] as number;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return length;
  }
  throw new InvalidInputError(
    "snappy body does not start with its length: use the snappy block format, not the framed one",
  );
}

/** Made at first use. Its memory grows to the largest request seen and is used again for each one. */
let uncompressSnappy: ((input: Uint8Array, outputLength: number) => Uint8Array) | undefined;

function decompressSnappy(body: Uint8Array, expected: number): Uint8Array {
  const length = snappyLength(body);
  if (length > expected) throw new InvalidInputError("snappy body is shorter than its length says");
  uncompressSnappy ??= snappyUncompressor();
  try {
    return uncompressSnappy(body, length);
  } catch (cause) {
    throw new InvalidInputError("snappy body is corrupt", { cause });
  }
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

function isOutputTooLarge(error: unknown): boolean {
  return errorCode(error) === "ERR_BUFFER_TOO_LARGE";
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function tooLarge(maxBytes: number, options?: ErrorOptions): TooLargeError {
  return new TooLargeError(
    `request body is larger than ${maxBytes} bytes when decompressed: send smaller batches or raise limits.max_decompressed_bytes`,
    options,
  );
}

function decompressionError(cause: unknown, encoding: ContentEncoding, maxBytes: number): unknown {
  const code = errorCode(cause);
  if (isOutputTooLarge(cause)) return tooLarge(maxBytes, { cause });
  if (code === "ZSTD_error_frameParameter_windowTooLarge") return tooLarge(maxBytes, { cause });
  if (!code.startsWith("Z_") && !code.startsWith("ZSTD_")) return cause;
  return new InvalidInputError(`request body is not valid ${encoding}: ${(cause as Error).message}`, { cause });
}
