import { InvalidInputError } from "@sightline/model/errors.ts";
import { BYTES, FIXED32, FIXED64, VARINT } from "../wire/reader.ts";
import type { ScalarType } from "./json-messages.ts";
import type { ProtobufWriter } from "./protobuf-writer.ts";

/** How a JSON value becomes a protobuf value of one type. `write` throws `InvalidInputError` without a place. */
export type Scalar = {
  readonly wireType: number;
  write(writer: ProtobufWriter, value: unknown): void;
};

const MAX_UINT32 = 2 ** 32 - 1;
const MAX_UINT64 = 2n ** 64n - 1n;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
const ONE_ZERO_BYTE = new Uint8Array(1);

const BY_TYPE: Readonly<Record<ScalarType, Scalar>> = {
  string: {
    wireType: BYTES,
    write(writer, value) {
      if (typeof value !== "string") throw unexpected("a string", value);
      writer.string(value);
    },
  },
  bool: {
    wireType: VARINT,
    write(writer, value) {
      if (value !== true && value !== false && value !== "true" && value !== "false") {
        throw unexpected("true or false", value);
      }
      writer.varint(value === true || value === "true" ? 1 : 0);
    },
  },
  double: { wireType: FIXED64, write: (writer, value) => writer.double(toDouble(value)) },
  int64: {
    wireType: VARINT,
    write(writer, value) {
      if (isSmall(value)) writer.varint(value);
      else writer.varint64(toInteger(value, MIN_INT64, MAX_INT64));
    },
  },
  uint64: {
    wireType: VARINT,
    write(writer, value) {
      if (isSmall(value)) writer.varint(value);
      else writer.varint64(toInteger(value, 0n, MAX_UINT64));
    },
  },
  uint32: { wireType: VARINT, write: (writer, value) => writer.varint(toInt(value, 0, MAX_UINT32)) },
  sint32: {
    wireType: VARINT,
    write(writer, value) {
      const number = toInt(value, -(2 ** 31), 2 ** 31 - 1);
      writer.varint(((number << 1) ^ (number >> 31)) >>> 0);
    },
  },
  fixed32: { wireType: FIXED32, write: (writer, value) => writer.fixed32(toInt(value, 0, MAX_UINT32)) },
  fixed64: { wireType: FIXED64, write: (writer, value) => writer.fixed64(toInteger(value, 0n, MAX_UINT64)) },
  sfixed64: { wireType: FIXED64, write: (writer, value) => writer.fixed64(toInteger(value, MIN_INT64, MAX_INT64)) },
  bytes: {
    wireType: BYTES,
    write(writer, value) {
      if (typeof value !== "string" || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value)) throw unexpected("base64", value);
      writer.bytes(Buffer.from(value, "base64"));
    },
  },
  id: {
    wireType: BYTES,
    write(writer, value) {
      if (typeof value !== "string") throw unexpected("a string of hex digits", value);
      const isHex = value.length % 2 === 0 && /^[0-9a-fA-F]*$/.test(value);
      writer.bytes(isHex ? Buffer.from(value, "hex") : ONE_ZERO_BYTE);
    },
  },
};

export const SCALARS = {
  byType: new Map<string, Scalar>(Object.entries(BY_TYPE)),
  /** An enum: its numbers, and its names as well. */
  enumOf: (numbers: ReadonlyMap<string, number>): Scalar => ({
    wireType: VARINT,
    write(writer, value) {
      const known = typeof value === "string" ? numbers.get(value) : undefined;
      // Negative numbers are never valid here: what the decoders make of any unknown one is good for them, too.
      writer.varint(known ?? Math.max(0, toInt(value, -(2 ** 31), 2 ** 31 - 1)));
    },
  }),
};

function isSmall(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function toDouble(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value === "string") {
    if (value === "NaN") return Number.NaN;
    if (value === "Infinity" || value === "+Infinity") return Number.POSITIVE_INFINITY;
    if (value === "-Infinity") return Number.NEGATIVE_INFINITY;
    const number = Number(value);
    if (value.trim() !== "" && !Number.isNaN(number)) return number;
  }
  throw unexpected("a number", value);
}

function toInt(value: unknown, min: number, max: number): number {
  return Number(toInteger(value, BigInt(min), BigInt(max)));
}

/** From a number or a string of digits; `1.0` and `1e3` are integers in JSON. */
function toInteger(value: unknown, min: bigint, max: bigint): bigint {
  let integer: bigint;
  if (typeof value === "string" && /^-?\d{1,20}$/.test(value)) integer = BigInt(value);
  else {
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (typeof number !== "number" || !Number.isInteger(number)) throw unexpected("an integer", value);
    integer = BigInt(number);
  }
  if (integer < min || integer > max) throw new InvalidInputError(`${integer} is out of range (${min} to ${max})`);
  return integer;
}

function unexpected(wanted: string, value: unknown): InvalidInputError {
  const text = JSON.stringify(value) ?? String(value);
  return new InvalidInputError(`${wanted} is expected, not ${text.length > 60 ? `${text.slice(0, 60)}…` : text}`);
}
