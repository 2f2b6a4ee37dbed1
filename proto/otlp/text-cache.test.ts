import fc from "fast-check";
import { expect, test } from "vitest";
import { TextCache } from "./text-cache.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

test("texts come out as decoded, whatever was there before", () => {
  const cache = new TextCache();
  const similar = fc.array(fc.constantFrom(...Buffer.from("aab\u0000é\xff", "latin1")), { maxLength: 60 });
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    similar.map((items) => Uint8Array.from(items)),
    fc.string({ unit: "grapheme", maxLength: 30 }).map((text) => new TextEncoder().encode(text)),
  );
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 20 }), (texts) => {
      const buffer = Buffer.concat([Buffer.from("before"), ...texts, Buffer.from("behind")]);
      let start = 6;
      for (const text of texts) {
        expect(cache.text(buffer, start, start + text.length)).toBe(decoder.decode(text));
        start += text.length;
      }
    }),
    { numRuns: 500 },
  );
});
