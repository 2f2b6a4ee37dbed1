import fc from "fast-check";

const SURROGATES_FROM = 0xd800;
const SURROGATES = 0x800;

/**
 * Any code point but halves of surrogate pairs, as `unit` of `fc.string`: as fast-check's own unit "binary", which takes a
 * second to set up.
 */
export const CODE_POINT: fc.Arbitrary<string> = fc.nat({ max: 0x10_ffff - SURROGATES }).map(
  (n) => String.fromCodePoint(n < SURROGATES_FROM ? n : n + SURROGATES),
  (text) => {
    const code = (text as string).codePointAt(0) as number;
    return code < SURROGATES_FROM ? code : code - SURROGATES;
  },
);
