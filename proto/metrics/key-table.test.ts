import { workedMs } from "@sightline/model/testing/worked-ms.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyTable } from "./key-table.ts";

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

test("finds exactly what was added, at any offset and with the prefix it was added under", () => {
  const key = fc.tuple(fc.uint8Array({ maxLength: 50 }), fc.integer({ min: 0, max: 3 }));
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

test("finds keys in whatever order they come, and says where the expected one ends", () => {
  const order = fc.array(fc.nat(9), { maxLength: 80 });
  fc.assert(
    fc.property(order, (keys) => {
      const table = new KeyTable();
      const known = new Set<number>();
      let followers = new Map<number, number>();
      let last = -1;
      for (const key of keys) {
        const bytes = new Uint8Array(20 + (key % 3)).fill(key);
        const view = viewOf(new Uint8Array([...bytes, 99]));
        const expected = known.has(key) && followers.get(last) === key;
        const end = table.findNext(view, 0, bytes.length + 1, 0);
        expect(end).toBe(expected ? bytes.length : -1);
        if (expected) expect(table.value).toBe(key);
        else {
          expect(table.find(view, 0, bytes.length, 0)).toBe(known.has(key) ? key : -1);
          if (!known.has(key)) table.add(view, 0, bytes.length, 0, key);
          known.add(key);
          followers = new Map(followers).set(last, key);
        }
        last = key;
      }
    }),
  );
});

test("does not look beyond the limit for the key that it expects", () => {
  const table = new KeyTable();
  const view = viewOf(new Uint8Array(8).fill(1));
  table.add(view, 0, 8, 0, 5);
  table.add(view, 0, 4, 0, 6);
  table.find(view, 0, 8, 0);
  expect(table.findNext(view, 0, 3, 0)).toBe(-1);
  expect(table.findNext(view, 5, 8, 0)).toBe(-1);
  expect(table.findNext(view, 4, 8, 0)).toBe(8);
});

test("tells keys apart that differ in one bit, wherever it is", () => {
  const table = new KeyTable();
  const bytes = new Uint8Array(70).fill(7);
  table.add(viewOf(bytes), 0, 70, 0, 1);
  for (let i = 0; i < 70 * 8; i++) {
    bytes[i >> 3]! ^= 1 << (i & 7);
    expect(table.find(viewOf(bytes), 0, 70, 0)).toBe(-1);
    bytes[i >> 3]! ^= 1 << (i & 7);
  }
  expect(table.find(viewOf(bytes), 0, 70, 0)).toBe(1);
});

test("spreads similar keys: few of many share a slot's neighbourhood", () => {
  const table = new KeyTable();
  const text = Buffer.alloc(40);
  const begin = workedMs();
  for (let i = 0; i < 100_000; i++) {
    const length = text.write(`pod-7d9c6b7f5d-${i}-checkout-service`);
    table.add(viewOf(text), 0, length, 0, i);
  }
  for (let i = 0; i < 100_000; i++) {
    const length = text.write(`pod-7d9c6b7f5d-${i}-checkout-service`);
    if (table.find(viewOf(text), 0, length, 0) !== i) throw new Error(`lost key ${i}`);
  }
  // Without spreading this would be quadratic and take minutes.
  expect(workedMs() - begin).toBeLessThan(10_000);
});
