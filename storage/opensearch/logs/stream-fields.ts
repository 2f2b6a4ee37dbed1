import type { LogStream } from "@sightline/model/log-batch.ts";
import { attributeToken, isReadableToken, partsOfToken } from "../rows/attribute-text.ts";
import { type OriginRest, originOf, originRest } from "../rows/origin-fields.ts";
import { splitTokens } from "../rows/tokens.ts";

/** What a document has of its stream: it is read back from what is there for searches, and from what that does not say. */
export type StreamFields = {
  /** A list in documents of earlier versions; the same with `fields`. */
  readonly labels: string | readonly string[];
  /** Attributes of the resource, then of the scope, then the record's own. */
  readonly fields?: string | readonly string[];
  readonly stream_rest: OriginRest;
};

export function labelTokens({ labels }: LogStream): readonly string[] {
  return labels.map(([name, value]) => attributeToken(name, value));
}

/** Undefined for a stream that could not be read back. */
export function streamRest(stream: LogStream): OriginRest | undefined {
  return stream.labels.every(([name, value]) => isReadableToken(name, value)) ? originRest(stream) : undefined;
}

export function streamOfFields({ labels, fields, stream_rest }: StreamFields): LogStream {
  return { labels: splitTokens(labels).map(partsOfToken), ...originOf(fields, stream_rest) };
}
