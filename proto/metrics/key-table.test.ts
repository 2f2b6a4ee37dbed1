import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyTable } from "./key-table.ts";

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

test("finds exactly what was added, at any offset and with the prefix it was added under", () => {
  const key = fc.tuple(fc.uint8Array({ maxLength: 12 }), fc.integer({ min: 0, max: 3 }));
  fc.assert(
    fc.property(fc.array(key, { maxLength: 60 }), fc.nat(7), (keys, offset) => {
      const table = new KeyTable();
      const expected = new Map<string, number>();
      for (const [bytes, prefix] of keys) {
        const padded = new Uint8Array(bytes.length + offset + 1);
        padded.set(bytes, offset);
        const name = `${prefix}/${bytes}`;
        const found = table.find(viewOf(padded), offset, offset + bytes.length, prefix);
        expect(found).toBe(expected.get(name) ?? -1);
        if (found >= 0) continue;
        table.add(viewOf(padded), offset, offset + bytes.length, prefix, expected.size);
        expected.set(name, expected.size);
      }
      expect(table.size).toBe(expected.size);
    }),
  );
});

test("keeps its keys when it grows, when keys are longer than a chunk, and when their source changes", () => {
  const table = new KeyTable();
  const bytes = new Uint8Array(400_000);
  const view = viewOf(bytes);
  table.add(view, 0, bytes.length, 0, 0xffff_ffff);
  for (let i = 1; i < 20_000; i++) {
    view.setUint32(0, i);
    table.add(view, 0, 4 + (i % 30), 7, i);
  }
  for (let i = 1; i < 20_000; i++) {
    view.setUint32(0, i);
    expect(table.find(view, 0, 4 + (i % 30), 7)).toBe(i);
  }
  bytes.fill(0);
  expect(table.find(view, 0, bytes.length, 0)).toBe(0xffff_ffff);
  expect(table.find(view, 0, bytes.length, 1)).toBe(-1);
});
