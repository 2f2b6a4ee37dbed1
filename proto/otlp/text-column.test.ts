import { CODE_POINT } from "@sightline/model/testing/code-point.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { runSteps } from "./run-steps.ts";
import { TextColumn } from "./text-column.ts";

type Put = { readonly gap: number; readonly text: string; readonly asBytes: boolean; readonly thenRemoved: boolean };

const put = fc.record<Put>({
  // Sometimes the same row again, sometimes far ahead.
  gap: fc.oneof(fc.nat(2), fc.constant(40)),
  text: fc.string({ unit: CODE_POINT, maxLength: 30 }),
  asBytes: fc.boolean(),
  thenRemoved: fc.boolean(),
});

test("a column has what its rows were given last", () => {
  fc.assert(
    fc.property(fc.array(put, { maxLength: 40 }), fc.nat(60), (puts, room) => {
      const column = new TextColumn("a", "string", room);
      const values: (string | undefined)[] = [];
      let row = 0;
      for (const { gap, text, asBytes, thenRemoved } of puts) {
        row += gap;
        const source = Buffer.from(`..${text}..`);
        if (asBytes) column.putBytes(row, source, 2, source.length - 2);
        else column.putText(row, text);
        values[row] = Buffer.from(text).toString();
        if (!thenRemoved) continue;
        column.remove(row);
        values.length = row;
      }
      const count = values.filter((value) => value !== undefined).length;
      expect(column.count).toBe(count);
      const length = values.length + 2;
      const finished = runSteps(column.finish(length));
      expect(finished).toMatchObject({ name: "a", type: "string" });
      expect(finished.bytes?.has?.reduce((sum, has) => sum + has, 0)).toBe(count);
      expect(finished.values).toEqual(Array.from({ length }, (_, i) => values[i]));
    }),
  );
});

test("bytes that are no UTF-8 are replaced, each in its own value", () => {
  const column = new TextColumn("a", "string", 4);
  for (const [row, bytes] of [[0xc3], [0xa9], [0x61, 0xff]].entries()) {
    column.putBytes(row, Uint8Array.from(bytes), 0, bytes.length);
  }
  expect(runSteps(column.finish(4)).values).toEqual(["\ufffd", "\ufffd", "a\ufffd", undefined]);
});

test("of very many rows strings are made at once, in steps", () => {
  const rows = 20_000;
  const column = new TextColumn("a", "string", rows);
  for (let row = 0; row < rows; row += 2) column.putText(row, String(row));
  const steps = [...column.finish(rows)];
  expect(steps.length).toBeGreaterThan(1);
  const { bytes, values } = runSteps(column.finish(rows));
  expect(bytes).toBeUndefined();
  expect(values.length).toBe(rows);
  expect(values.slice(-2)).toEqual([String(rows - 2), undefined]);
});
