import type { LogStream } from "@sightline/model/log-batch.ts";
import { describe, expect, test } from "vitest";
import { LogCodec, type LogRecord } from "./log-codec.ts";

const attribute = (name: string, value: string) => ({ name, type: "string" as const, value });
const STREAM: LogStream = {
  labels: [["service_name", "shop"]],
  resource: [attribute("service.name", "shop"), { name: "process.pid", type: "int", value: "7" }],
  scope: { name: "lib", version: "1", schemaUrl: "", attributes: [attribute("a", "b")] },
};
const RECORD: LogRecord = {
  timeNs: 1_763_742_019_123_456_789n,
  observedNs: 0n,
  stream: STREAM,
  severity: 9,
  severityText: "INFO",
  body: "cache miss",
  traceId: "",
  spanId: "",
  attributes: [attribute("user.id", "ann")],
};
const LONG: LogStream = { ...STREAM, resource: [attribute("process.command_line", "x".repeat(2_000))] };

function documentOf(record: LogRecord): Readonly<Record<string, unknown>> {
  return JSON.parse(new LogCodec({ search_context: false }).jsonOf(record));
}

describe("a record comes back from its document", () => {
  test.each([
    ["of a stream that searches know by its fields", RECORD],
    ["of a stream with more than searches know", { ...RECORD, stream: LONG }],
  ])("%s", (_, record) => {
    const codec = new LogCodec({ search_context: false });
    expect(codec.rowOf(record.timeNs, documentOf(record))).toEqual(record);
  });

  test("that an earlier version wrote, with the stream written out, as one of the same stream", () => {
    const codec = new LogCodec({ search_context: false });
    const { stream_rest: _, ...document } = documentOf(RECORD);
    const stream =
      '[[["service_name","shop"]],["service.name","string","shop","process.pid","int","7"],["lib","1","",["a","string","b"]]]';
    const early = codec.rowOf(RECORD.timeNs, { ...document, stream });
    expect(early).toEqual(RECORD);
    expect(codec.rowOf(RECORD.timeNs, documentOf(RECORD)).stream).toBe(early.stream);
  });

  test("that an earlier version wrote, with lists of labels and attributes", () => {
    const lists = {
      labels: ["service_name=shop"],
      fields: ["service.name=shop", "process.pid=7", "a=b", "user.id=ann"],
      own_labels: ["user_id"],
    };
    const codec = new LogCodec({ search_context: false });
    expect(codec.rowOf(RECORD.timeNs, { ...documentOf(RECORD), ...lists })).toEqual(RECORD);
  });
});

test("what searches know of a stream is not written out a second time", () => {
  expect(documentOf(RECORD)).not.toHaveProperty("stream");
  expect(documentOf({ ...RECORD, stream: LONG })).not.toHaveProperty("stream_rest");
});
