/**
 * PostgreSQL's binary form of one-dimensional arrays without NULL (array_send in arrayfuncs.c). pg sends a Buffer as a binary
 * parameter: so doubles keep all their bits, and nothing is printed and parsed again.
 */
const INT8 = 20;
const FLOAT8 = 701;
const BYTEA = 17;
const TEXT = 25;
const HEADER_BYTES = 20;

export function int8Array(values: readonly (number | bigint)[] | Float64Array | BigInt64Array): Buffer {
  const out = header(INT8, values.length, values.length * 12);
  let at = HEADER_BYTES;
  for (let i = 0; i < values.length; i++) {
    out.writeInt32BE(8, at);
    out.writeBigInt64BE(BigInt(values[i] as number | bigint), at + 4);
    at += 12;
  }
  return out;
}

/** Keeps every bit, also those of NaNs. */
export function float8Array(values: Float64Array): Buffer {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  const out = header(FLOAT8, values.length, values.length * 12);
  let at = HEADER_BYTES;
  for (let i = 0; i < values.length; i++) {
    out.writeInt32BE(8, at);
    out.writeUInt32BE(words[2 * i + 1] as number, at + 4);
    out.writeUInt32BE(words[2 * i] as number, at + 8);
    at += 12;
  }
  return out;
}

export function byteaArray(values: readonly Uint8Array[]): Buffer {
  return variableArray(BYTEA, values);
}

/** The texts must not hold U+0000. */
export function textArray(values: readonly string[]): Buffer {
  return variableArray(
    TEXT,
    values.map((value) => Buffer.from(value)),
  );
}

function variableArray(type: number, values: readonly Uint8Array[]): Buffer {
  let bytes = 0;
  for (const value of values) bytes += 4 + value.length;
  const out = header(type, values.length, bytes);
  let at = HEADER_BYTES;
  for (const value of values) {
    out.writeInt32BE(value.length, at);
    out.set(value, at + 4);
    at += 4 + value.length;
  }
  return out;
}

function header(type: number, length: number, bytes: number): Buffer {
  if (length === 0) {
    const empty = Buffer.alloc(12);
    empty.writeInt32BE(type, 8);
    return empty;
  }
  const out = Buffer.allocUnsafe(HEADER_BYTES + bytes);
  out.writeInt32BE(1, 0);
  out.writeInt32BE(0, 4);
  out.writeInt32BE(type, 8);
  out.writeInt32BE(length, 12);
  out.writeInt32BE(1, 16);
  return out;
}
