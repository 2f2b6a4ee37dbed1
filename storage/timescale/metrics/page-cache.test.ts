import { Counter, Registry } from "prom-client";
import { expect, test } from "vitest";
import { PageCache } from "./page-cache.ts";
import { encodePage } from "./page-codec.ts";
import { idOf } from "./series-id.ts";

const SAMPLES = 100;

function pageOf(first: number): Buffer {
  const timesMs = Float64Array.from({ length: SAMPLES }, (_, i) => i * 15_000);
  return encodePage([
    {
      id: idOf(1, first),
      timesMs,
      values: timesMs.map((_, i) => first + ((i * i * 7_919) % 100_003)),
      startsMs: undefined,
    },
  ]);
}

function cacheOf(maxBytes: number) {
  const requests = new Counter({ name: "requests", help: "x", labelNames: ["result"], registers: [new Registry()] });
  const results = async () => (await requests.get()).values.map(({ labels, value }) => [labels.result, value]);
  return { cache: new PageCache({ maxBytes, requests }), results };
}

/** Or that it is damaged. */
function opened(cache: PageCache, bytes: Buffer): unknown {
  try {
    return cache.open(bytes);
  } catch (error) {
    return error;
  }
}

test("a page that is asked for again is the same one, wherever its bytes are", async () => {
  const { cache, results } = cacheOf(1e6);
  const stored = pageOf(1);
  const inPacket = Buffer.concat([Buffer.alloc(7), stored]).subarray(7);
  const page = cache.open(inPacket);
  expect(page.ids).toEqual([{ bucket: 1, rest: 1 }]);
  // What it came in is used for something else.
  inPacket.fill(0);
  expect(cache.open(stored)).toBe(page);
  expect(await results()).toEqual([["miss", 1], ["hit", 1]]); // biome-ignore format: two results
});

test("pages that look alike are not taken for each other", () => {
  const { cache } = cacheOf(1e6);
  const page = pageOf(1);
  const other = Buffer.from(page);
  // In the middle, where nothing is looked at to find it.
  other[page.length >> 1] = ~(page[page.length >> 1] as number);
  cache.open(page);
  expect(other.subarray(0, 64).equals(page.subarray(0, 64)) && other.length > 200).toBe(true);
  expect(opened(cache, other)).not.toBe(opened(cache, page));
});

test("what was asked for longest ago goes first, and the bytes are those of what is left", () => {
  const pages = [1, 2, 3].map(pageOf);
  const { cache } = cacheOf(1e6);
  for (const page of pages) cache.open(page);
  const { cache: small } = cacheOf(cache.bytes - 1);
  const [first, second] = pages.map((page) => small.open(page));
  expect(small.open(pages[1] as Buffer)).toBe(second);
  expect(small.open(pages[0] as Buffer)).not.toBe(first);
  expect(small.bytes).toBeLessThan(cache.bytes);
  small.clear();
  expect(small.bytes).toBe(0);
  expect(small.open(pages[1] as Buffer)).not.toBe(second);
});

test("nothing is kept where there is no room", () => {
  for (const maxBytes of [0, 10]) {
    const { cache } = cacheOf(maxBytes);
    expect(cache.open(pageOf(1))).not.toBe(cache.open(pageOf(1)));
    expect(cache.bytes).toBe(0);
  }
});
