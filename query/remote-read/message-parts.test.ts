import { expect, test } from "vitest";
import { ProtobufReader } from "../protobuf/protobuf-reader.ts";
import { MessageParts } from "./message-parts.ts";

test("a message in parts reads as one", () => {
  const texts = Array.from({ length: 30 }, (_, i) => String(i % 10).repeat(100_000 + i));
  const message = new MessageParts();
  for (const text of texts) {
    message.writer.string(2, text);
    message.cut();
  }
  const parts = message.finish(7);
  expect(parts.length).toBeGreaterThan(2);
  const outer = new ProtobufReader(Buffer.concat(parts));
  expect([outer.next(), outer.field]).toEqual([true, 7]);
  const inner = outer.message();
  const read: string[] = [];
  while (inner.next()) read.push(inner.string());
  expect(read).toEqual(texts);
  expect(outer.next()).toBe(false);
});
