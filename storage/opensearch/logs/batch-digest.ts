import { createHash, type Hash } from "node:crypto";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { TenantId } from "@sightline/model/tenant.ts";

const ROWS_AT_ONCE = 1_024;
/** 96 bits as base64url. */
const DIGEST_LENGTH = 16;

/** 96 bits of SHA-1 over all that a batch says, row by row in its order; `keyOf` gives the text that is equal for equal streams. */
export function batchDigest(tenant: TenantId, batch: LogBatch, keyOf: (stream: LogStream) => string): string {
  const hash = createHash("sha1");
  addTexts(hash, [tenant]);
  addTexts(hash, batch.streams.map(keyOf));
  for (const { buffer, byteOffset, byteLength } of [batch.streamRefs, batch.timesNs, batch.observedNs]) {
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  hash.update(batch.severities);
  for (const texts of [batch.severityTexts, batch.bodies, batch.traceIds, batch.spanIds]) addTexts(hash, texts);
  for (const { name, type, values } of batch.attributes) {
    addTexts(hash, [name, type]);
    addTexts(hash, values);
  }
  return hash.digest("base64url").slice(0, DIGEST_LENGTH);
}

/** How long they are, then what they are: so that nothing reads like something else. */
function addTexts(hash: Hash, texts: readonly (string | undefined)[]): void {
  const lengths = new Int32Array(texts.length + 1);
  lengths[texts.length] = texts.length;
  for (let i = 0; i < texts.length; i++) lengths[i] = texts[i]?.length ?? -1;
  hash.update(lengths);
  for (let from = 0; from < texts.length; from += ROWS_AT_ONCE) {
    hash.update(texts.slice(from, from + ROWS_AT_ONCE).join(""));
  }
}
