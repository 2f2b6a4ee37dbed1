import { CODE_POINT } from "@sightline/model/testing/code-point.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeUtf8, decodeUtf8Lossy } from "./utf8.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** As the Encoding Standard has it. */
function standard(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

const texts = fc.string({ unit: CODE_POINT, maxLength: 40 }).map((text) => Buffer.from(text));
const anything = fc.uint8Array({ maxLength: 20 });

test("a part of a request is the text that it is by the standard, or none", () =>
  fc.assert(
    fc.property(anything, fc.oneof(texts, anything), anything, (before, part, after) => {
      const bytes = new Uint8Array([...before, ...part, ...after]);
      const [start, end] = [before.length, before.length + part.length];
      expect(decodeUtf8(bytes, start, end)).toBe(standard(part));
      expect(decodeUtf8Lossy(bytes, start, end)).toBe(new TextDecoder("utf-8", { ignoreBOM: true }).decode(part));
    }),
  ));

test.each(["\ufeffa", "größe", "\ud7ff\ue000😀"])("keeps every character of %j", (text) => {
  const bytes = Buffer.from(text);
  expect(decodeUtf8(bytes, 0, bytes.length)).toBe(text);
});

test.each([
  ["a surrogate", [0xed, 0xa0, 0x80]],
  ["an overlong form", [0xc0, 0xaf]],
  ["a character that is cut off", [0x67, 0xc3]],
  ["more than there are", [0xf4, 0x90, 0x80, 0x80]],
])("%s is no text", (_, bytes) => {
  expect(decodeUtf8(Uint8Array.from(bytes), 0, bytes.length)).toBeUndefined();
});
