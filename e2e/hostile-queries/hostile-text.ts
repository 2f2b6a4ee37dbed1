/** Builds the long texts of the tables here, so that a row shows what is in them. */
export const repeat = (text: string, count: number): string => text.repeat(count);

/** `open` and `close` around `inner`, `depth` times. */
export const nest = (open: string, inner: string, close: string, depth: number): string =>
  `${open.repeat(depth)}${inner}${close.repeat(depth)}`;

/** `make(0)`, `make(1)`, … with `separator` between them. */
export const list = (count: number, make: (index: number) => string, separator = ","): string =>
  Array.from({ length: count }, (_, index) => make(index)).join(separator);

/** A label of twice the length for every level: 8 · 2^depth characters. */
export function doubledLabel(depth: number): string {
  const first = 'label_replace(big, "a", "xxxxxxxx", "", "")';
  return `${"label_join(".repeat(depth)}${first}${', "a", "", "a", "a")'.repeat(depth)}`;
}

/** Chains of `length` operators in `depth` parentheses: neither is too many, but all of them make a tree of their product. */
export const chains = (operand: string, operator: string, length: number, depth: number): string =>
  nest("(", operand, `${` ${operator} ${operand}`.repeat(length)})`, depth);
