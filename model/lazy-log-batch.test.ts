import { expect, test } from "vitest";
import { LazyAttributeColumn } from "./lazy-attribute-column.ts";
import { LazyLogBatch, withIds } from "./lazy-log-batch.ts";
import { Utf8Texts } from "./utf8-texts.ts";

const TEXTS = ["one", "", "дві", "\u{1f600}"];

function textsOf(texts: readonly string[]): Utf8Texts {
  let end = 0;
  const ends = Uint32Array.from(texts, (text) => (end += Buffer.byteLength(text)));
  return new Utf8Texts(Buffer.from(texts.join("")), ends);
}

function batchOf(texts: readonly string[]): LazyLogBatch {
  const none = texts.map(() => "");
  return new LazyLogBatch(
    {
      length: texts.length,
      streams: [],
      streamRefs: new Uint32Array(texts.length),
      timesNs: new BigInt64Array(texts.length),
      observedNs: new BigInt64Array(texts.length),
      severities: new Uint8Array(texts.length),
      severityTexts: none,
      traceIds: none,
      spanIds: none,
      attributes: [],
    },
    textsOf(texts),
  );
}

test.each([[TEXTS], [["plain", "ASCII"]], [[]]])("texts %j are what they were", (texts) => {
  const packed = textsOf(texts);
  expect(packed.toStrings()).toEqual(texts);
  expect(texts.map((_, i) => packed.at(i))).toEqual(texts);
});

test("bodies are bytes until somebody asks for strings, and never both", () => {
  const batch = batchOf(TEXTS);
  expect(batch.bodyBytes?.length).toBe(4);
  expect(batch.bodies).toEqual(TEXTS);
  expect(batch.bodyBytes).toBeUndefined();
  expect(batch.bodies).toBe(batch.bodies);
});

test("a copy has strings, so that bodies that are replaced in it don't come back as bytes", () => {
  const copy = { ...batchOf(TEXTS), bodies: ["a", "b", "c", "d"] };
  expect(copy).not.toHaveProperty("bodyBytes");
  expect({ ...batchOf(TEXTS) }.bodies).toEqual(TEXTS);
});

test("other ids leave bodies what they are", () => {
  const ids = ["a", "b", "c", "d"];
  const changed = withIds(batchOf(TEXTS), ids, ids);
  expect(changed.bodyBytes?.toStrings()).toEqual(TEXTS);
  expect(changed).toMatchObject({ length: 4, traceIds: ids, spanIds: ids, bodies: TEXTS });
  expect(withIds(changed, [], []).bodies).toEqual(TEXTS);
});

test("values of attributes are bytes until somebody asks for strings, too", () => {
  const { bytes, ends } = textsOf(["one", "", ""]);
  const column = new LazyAttributeColumn("a", "string", new Utf8Texts(bytes, ends, Uint8Array.of(1, 1, 0)));
  expect(column.bytes?.length).toBe(3);
  expect(column.values).toEqual(["one", "", undefined]);
  expect(column.bytes).toBeUndefined();
  expect({ ...column }).toEqual({ name: "a", type: "string", values: ["one", "", undefined] });
});
