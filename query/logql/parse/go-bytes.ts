/** Multipliers by lower-case unit (dustin/go-humanize). */
const UNITS: ReadonlyMap<string, number> = new Map(
  ["", "k", "m", "g", "t", "p", "e"].flatMap((prefix, power) => {
    const decimal = 1_000 ** power;
    const binary = 1_024 ** power;
    if (prefix === "") return [["", 1] as const, ["b", 1] as const];
    return [
      [prefix, decimal] as const,
      [`${prefix}b`, decimal] as const,
      [`${prefix}i`, binary] as const,
      [`${prefix}ib`, binary] as const,
    ];
  }),
);

export type ParsedBytes = { readonly bytes: number } | { readonly error: string };

/** `5 MB`, `1.5KiB`, `42` as go-humanize's ParseBytes reads it, with its words for what is wrong. */
export function parseHumanBytes(text: string): ParsedBytes {
  const number = /^[\d.,]*/.exec(text)?.[0] ?? "";
  const plain = number.replaceAll(",", "");
  if (!/^(\d+\.?\d*|\.\d+)$/.test(plain)) {
    return { error: `strconv.ParseFloat: parsing ${JSON.stringify(plain)}: invalid syntax` };
  }
  const name = text.slice(number.length).trim().toLowerCase();
  const unit = UNITS.get(name);
  if (unit === undefined) return { error: `unhandled size name: ${name}` };
  const bytes = Number(plain) * unit;
  return bytes >= 2 ** 64 ? { error: `too large: ${text}` } : { bytes: Math.trunc(bytes) };
}

/** go-humanize's Bytes without its space: `5.2MB`, `999B`. */
export function formatHumanBytes(bytes: number): string {
  if (bytes < 10) return `${bytes}B`;
  const names = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
  const power = Math.min(Math.floor(Math.log(bytes) / Math.log(1_000)), names.length - 1);
  const value = Math.floor((bytes / 1_000 ** power) * 10 + 0.5) / 10;
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)}${names[power]}`;
}
