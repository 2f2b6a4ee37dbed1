import { InvalidInputError } from "./errors.ts";

const DURATION_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};
const SIZE_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** `15d`, `1h30m`, `250ms` as in Prometheus' configuration, to milliseconds. Throws {@link InvalidInputError}. */
export function parseDurationMs(text: string): number {
  if (!/^(\d+(ms|[smhdwy]))+$/.test(text)) {
    throw new InvalidInputError(`${JSON.stringify(text)} is not a duration; write for example 30s, 5m, 1h30m or 15d`);
  }
  let totalMs = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhdwy])/g))
    totalMs += Number(count) * (DURATION_MS[unit as string] as number);
  return totalMs;
}

/** `64MiB`, `1GB`, `512` to bytes. Throws {@link InvalidInputError}. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]i?B|B)?$/.exec(text);
  if (!match)
    throw new InvalidInputError(`${JSON.stringify(text)} is not a size; write for example 64MiB, 1GB or 4096`);
  return Math.round(Number(match[1]) * (SIZE_BYTES[match[2] ?? "B"] as number));
}
