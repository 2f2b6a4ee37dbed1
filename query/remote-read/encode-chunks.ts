import type { Labels } from "@sightline/model/labels.ts";
import { writeLabels } from "../protobuf/prometheus-parts.ts";
import { ProtobufWriter } from "../protobuf/protobuf-writer.ts";
import type { Chunk } from "./chunk.ts";
import { crc32c } from "./crc32c.ts";

export type ChunkedSeries = { readonly labels: Labels; readonly chunks: readonly Chunk[] };

const MAX_FRAME_BYTES = 1_048_576;

/**
 * The body of a streamed answer (StreamChunkedReadResponses in Prometheus' storage/remote/codec.go): one
 * prometheus.ChunkedReadResponse after another, each with its length as a varint and its CRC-32C before it. A frame has
 * chunks of one series; a long series takes several.
 */
export function* encodeFrames(series: readonly ChunkedSeries[], queryIndex: number): Generator<Uint8Array> {
  for (const { labels, chunks } of series) {
    for (let from = 0; from < chunks.length; ) {
      let to = from;
      for (let bytes = 0; to < chunks.length && bytes < MAX_FRAME_BYTES; to++)
        bytes += (chunks[to] as Chunk).data.length;
      yield frame(labels, chunks.slice(from, to), queryIndex);
      from = to;
    }
  }
}

function frame(labels: Labels, chunks: readonly Chunk[], queryIndex: number): Uint8Array {
  const writer = new ProtobufWriter();
  writer.message(1, () => {
    writeLabels(writer, labels);
    for (const { minTimeMs, maxTimeMs, encoding, data } of chunks) {
      writer.message(2, () => {
        writer.safeInt64(1, minTimeMs);
        writer.safeInt64(2, maxTimeMs);
        writer.uint32(3, encoding);
        writer.bytes(4, data);
      });
    }
  });
  if (queryIndex > 0) writer.uint32(2, queryIndex);
  const message = writer.finish();
  const head: number[] = [];
  let rest = message.length;
  while (rest > 127) {
    head.push((rest & 127) | 128);
    rest >>>= 7;
  }
  head.push(rest);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32c(message));
  return Buffer.concat([Uint8Array.from(head), crc, message]);
}
