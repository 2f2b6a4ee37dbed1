import * as zlib from "node:zlib";
import { InvalidInputError, TooLargeError } from "@sightline/model/errors.ts";
import { rounds } from "@sightline/model/testing/rounds.ts";
import fc from "fast-check";
import { snappyCompress } from "hysnappy";
import { describe, expect, test } from "vitest";
import { decompress, decompressAsync } from "./compression.ts";
import type { ContentEncoding } from "./wire-request.ts";

const COMPRESSORS: readonly [name: string, encoding: ContentEncoding, compress: (data: Uint8Array) => Uint8Array][] = [
  ["identity", "identity", (data) => data],
  ["gzip", "gzip", (data) => zlib.gzipSync(data)],
  ["deflate with a zlib header", "deflate", (data) => zlib.deflateSync(data)],
  ["raw deflate", "deflate", (data) => zlib.deflateRawSync(data)],
  ["zstd", "zstd", (data) => zlib.zstdCompressSync(data)],
  ["snappy", "snappy", (data) => snappyCompress(data)],
];
const COMPRESSED = COMPRESSORS.filter(([, encoding]) => encoding !== "identity");
const MIB = 1024 * 1024;

describe.each(COMPRESSORS)("%s", (_name, encoding, compress) => {
  test("gives back any data, in both ways", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), async (data) => {
        const body = compress(data);
        expect(Buffer.from(decompress(body, encoding, 5_000))).toEqual(Buffer.from(data));
        expect(Buffer.from(await decompressAsync(body, encoding, 5_000))).toEqual(Buffer.from(data));
      }),
      { numRuns: 30 },
    );
  });

  test("takes exactly the limit and refuses a byte more, naming the setting", async () => {
    const body = compress(Buffer.alloc(10_000, "observability "));
    expect(decompress(body, encoding, 10_000)).toHaveLength(10_000);
    const refusal = (error: unknown) => {
      expect(error).toBeInstanceOf(TooLargeError);
      expect(String(error)).toContain("limits.max_decompressed_bytes");
    };
    try {
      decompress(body, encoding, 9_999);
      expect.unreachable();
    } catch (error) {
      refusal(error);
    }
    await decompressAsync(body, encoding, 9_999).then(() => expect.unreachable(), refusal);
  });
});

describe.each(COMPRESSED)("%s", (_name, encoding, compress) => {
  test("refuses a body that was cut off", () => {
    const body = compress(Buffer.from("some words of a log line, said once"));
    for (let length = 0; length < body.length; length++) {
      expect(() => decompress(body.subarray(0, length), encoding, MIB)).toThrow(InvalidInputError);
    }
  });

  test("answers random mutations with data or with one of its two errors", () => {
    const original = compress(Buffer.from("GET /cart 200 GET /cart 200 GET /checkout 500 ".repeat(20)));
    fc.assert(
      fc.property(fc.nat(original.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const body = Uint8Array.from(original);
        body[at] = (body[at] as number) ^ change;
        try {
          expect(decompress(body, encoding, MIB).length).toBeLessThanOrEqual(MIB);
        } catch (error) {
          if (!(error instanceof InvalidInputError)) expect(error).toBeInstanceOf(TooLargeError);
        }
      }),
      { numRuns: rounds(75) },
    );
  });
});

test.each(COMPRESSED.filter(([, encoding]) => encoding !== "snappy"))(
  "a bomb of %s is refused without allocating what it would expand to",
  async (_name, encoding, compress) => {
    const bomb = compress(Buffer.alloc(64 * MIB));
    const before = process.memoryUsage();
    expect(() => decompress(bomb, encoding, 4 * MIB)).toThrow(TooLargeError);
    await expect(decompressAsync(bomb, encoding, 4 * MIB)).rejects.toThrow(TooLargeError);
    const after = process.memoryUsage();
    expect(after.arrayBuffers + after.external - before.arrayBuffers - before.external).toBeLessThan(32 * MIB);
  },
);

test("a snappy body that claims 4 GiB is refused before anything is allocated", () => {
  expect(() => decompress(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f), "snappy", 64 * MIB)).toThrow(TooLargeError);
});

test("a snappy body can't reach into the bytes of an earlier one", () => {
  decompress(snappyCompress(Buffer.from("the secret of another tenant ".repeat(10))), "snappy", MIB);
  // One literal byte, then a copy from 50 bytes before it.
  const body = Uint8Array.of(20, 0x00, 97, 0x02 | (18 << 2), 50, 0);
  expect(() => decompress(body, "snappy", MIB)).toThrow(InvalidInputError);
});

test("a gzip trailer that understates the length does no harm", async () => {
  const data = Buffer.alloc(12 * MIB, "spans and logs ");
  const body = Buffer.from(zlib.gzipSync(data));
  const [first, second] = [body, zlib.gzipSync(Buffer.alloc(0))];
  const members = Buffer.concat([first, second]);
  expect(decompress(members, "gzip", 64 * MIB)).toHaveLength(data.length);
  expect(await decompressAsync(members, "gzip", 64 * MIB)).toHaveLength(data.length);
});

test("large bodies leave the event loop free", async () => {
  const body = zlib.gzipSync(Buffer.alloc(32 * MIB, "a body that takes a while to inflate "));
  let isDone = false;
  const inflating = decompressAsync(body, "gzip", 64 * MIB).finally(() => {
    isDone = true;
  });
  // What this thread does itself is done before anybody else has a turn.
  await new Promise(setImmediate);
  expect(isDone).toBe(false);
  expect(await inflating).toHaveLength(32 * MIB);
});
