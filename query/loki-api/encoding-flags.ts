import type { FastifyRequest } from "fastify";

/** Flags that a client sends in `X-Loki-Response-Encoding-Flags`; Loki shows also those that it does not know. */
export type EncodingFlags = ReadonlySet<string>;

const CATEGORIZE_LABELS = "categorize-labels";

export function encodingFlags(request: FastifyRequest): EncodingFlags {
  const header = String(request.headers["x-loki-response-encoding-flags"] ?? "").trim();
  return new Set(header === "" ? [] : header.split(",").map((flag) => flag.trim()));
}

export function wantsCategories(flags: EncodingFlags): boolean {
  return flags.has(CATEGORIZE_LABELS);
}

/** As a member of an object that has others before it; "" without flags. */
export function flagsJson(flags: EncodingFlags): string {
  return flags.size === 0 ? "" : `,"encodingFlags":${JSON.stringify([...flags])}`;
}
