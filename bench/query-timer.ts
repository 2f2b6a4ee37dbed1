import type { TimedQuery } from "./queries.ts";

export type QueryTiming = {
  readonly name: string;
  readonly bytes: number;
  readonly firstMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

/** Asks one question several times, one after the other; the first answer is reported apart. Throws unless it is a 200. */
export async function timeQuery(base: string, query: TimedQuery, runs: number): Promise<QueryTiming> {
  const url = new URL(query.path, base);
  for (const [name, value] of Object.entries(query.params)) url.searchParams.set(name, value);
  const times: number[] = [];
  let bytes = 0;
  for (let run = 0; run < runs; run++) {
    const began = performance.now();
    const response = await fetch(url);
    const body = await response.arrayBuffer();
    times.push(performance.now() - began);
    bytes = body.byteLength;
    if (response.status !== 200)
      throw new Error(`${query.name}: ${response.status} ${Buffer.from(body).toString().slice(0, 300)}`);
  }
  const [firstMs = 0, ...rest] = times;
  rest.sort((a, b) => a - b);
  const quantile = (q: number) => rest[Math.round(q * (rest.length - 1))] ?? firstMs;
  return { name: query.name, bytes, firstMs, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}
