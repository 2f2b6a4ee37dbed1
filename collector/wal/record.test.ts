import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import type { WireRequest } from "@sightline/proto/wire-request.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeRecord, newMarker, recordBytes, type ScannedRecord, scanRecords } from "./record.ts";

const marker = newMarker();

function request(body: Uint8Array): WireRequest {
  return {
    tenant: DEFAULT_TENANT,
    protocol: "otlp-logs-json",
    encoding: "gzip",
    receivedAtMs: 1_700_000_000_123,
    body,
  };
}

function encode(position: number, body: Uint8Array): Buffer {
  const record = encodeRecord(marker, position, request(body));
  return Buffer.concat([record.header, record.body]);
}

function scan(bytes: Buffer, after = 0): ScannedRecord[] {
  return [...scanRecords(bytes, marker, after)];
}

function positions(scanned: readonly ScannedRecord[]): number[] {
  return scanned.flatMap((item) => (item.kind === "record" ? [item.entry.position] : []));
}

const bodies = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 8 });

test("what was encoded is read back, and the announced length is the real one", () => {
  fc.assert(
    fc.property(bodies, (bodies) => {
      const records = bodies.map((body, i) => encode(i + 1, body));
      const scanned = scan(Buffer.concat(records));
      expect(scanned.at(-1)).toMatchObject({ kind: "end", torn: false });
      for (const [i, body] of bodies.entries()) {
        const item = scanned[i] as Extract<ScannedRecord, { kind: "record" }>;
        expect(item.entry.position).toBe(i + 1);
        expect({ ...item.entry.request, body: [...item.entry.request.body] }).toEqual({
          ...request(body),
          body: [...body],
        });
        expect(records[i]?.length).toBe(recordBytes(request(body)));
      }
    }),
  );
});

test("decisions are kept beside the request, and only where there are some", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 1, maxLength: 40 }), (body, decisions) => {
      const made = { ...request(body), decisions };
      const record = encodeRecord(marker, 3, made);
      const bytes = Buffer.concat([record.header, record.body]);
      expect(bytes.length).toBe(recordBytes(made));
      const [item] = scan(bytes);
      const read = (item as Extract<ScannedRecord, { kind: "record" }>).entry.request;
      expect([...(read.decisions ?? [])]).toEqual([...decisions]);
      expect([...read.body]).toEqual([...body]);
      for (let length = 0; length < bytes.length; length++) {
        expect(positions(scan(bytes.subarray(0, length)))).toEqual([]);
      }
    }),
    { numRuns: 30 },
  );
});

test("a flipped byte costs the record it is in and no other", () => {
  fc.assert(
    fc.property(bodies, fc.nat(), fc.integer({ min: 1, max: 255 }), (bodies, where, flip) => {
      const records = bodies.map((body, i) => encode(i + 1, body));
      const bytes = Buffer.concat(records);
      const at = where % bytes.length;
      bytes[at] = (bytes[at] as number) ^ flip;
      let end = 0;
      const damaged = records.findIndex((record) => {
        end += record.length;
        return at < end;
      });
      const scanned = scan(bytes);
      expect(positions(scanned)).toEqual(records.map((_, i) => i + 1).filter((p) => p !== damaged + 1));
      const isLast = damaged === records.length - 1;
      expect(scanned.some((item) => item.kind === "corrupt")).toBe(!isLast);
      expect(scanned.at(-1)).toMatchObject({ kind: "end", torn: isLast });
    }),
  );
});

test("a client can't smuggle in a record, not even one with a checksum, when its own is damaged", () => {
  const forged = encodeRecord(newMarker(), 9_999, request(Buffer.from("forged")));
  const outer = encode(1, Buffer.concat([forged.header, forged.body]));
  expect(positions(scan(outer.subarray(0, outer.length - 1)))).toEqual([]);
  outer[20] = 0xff;
  expect(positions(scan(outer))).toEqual([]);
});

test("records of the file's former use end at the terminator", () => {
  const old = encodeRecord(newMarker(), 5, request(Buffer.from("old")));
  const bytes = Buffer.concat([encode(7, Buffer.from("new")), Buffer.alloc(8), old.header, old.body]);
  expect(scan(bytes)).toMatchObject([{ kind: "record" }, { kind: "end", torn: false }]);
});

test("a position that does not ascend is damage", () => {
  const bytes = Buffer.concat([encode(5, Buffer.from("a")), encode(5, Buffer.from("b")), encode(6, Buffer.from("c"))]);
  expect(positions(scan(bytes))).toEqual([5, 6]);
  expect(positions(scan(bytes, 5))).toEqual([6]);
});
