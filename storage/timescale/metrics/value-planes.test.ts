import { CorruptionError } from "@sightline/model/errors.ts";
import { expect, test } from "vitest";
import { PageReader, PageWriter } from "./page-bytes.ts";
import { readPlanes, widthOf, writePlanes } from "./value-planes.ts";

test.each([
  { differences: [], width: 0 },
  { differences: [5], width: 0 },
  { differences: [2 ** 50, 0, 127, -128], width: 1 },
  { differences: [-7, 128], width: 2 },
  { differences: [1, -129, 0, 32_767, -32_768], width: 2 },
  { differences: [0, 32_768, 1, -8_388_608, 8_388_607], width: 3 },
  { differences: [0, 8_388_608], width: 0 },
  { differences: [0, -8_388_609], width: 0 },
])("$differences take $width bytes each, and come back as sums", ({ differences, width }) => {
  expect(widthOf(Float64Array.from(differences))).toBe(width);
  if (width === 0) return;
  const writer = new PageWriter();
  writePlanes(Float64Array.from(differences), width, writer);
  const bytes = Buffer.from(writer.bytes.subarray(0, writer.length));
  const reader = new PageReader(bytes);
  const out = new Float64Array(differences.length + 2);
  readPlanes(reader, width, out, 1, differences.length);
  let sum = 0;
  expect([...out]).toEqual([0, ...differences.map((difference) => (sum += difference)), 0]);
  expect(reader.at).toBe(bytes.length);
  const short = new PageReader(bytes.subarray(0, -1));
  expect(() => readPlanes(short, width, out, 0, differences.length)).toThrow(CorruptionError);
});
