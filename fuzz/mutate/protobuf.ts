import type { Random } from "../random.ts";
import { mutateBytes } from "./bytes.ts";

/** A field as it is on the wire. `children`: its content, when that reads as a message itself. */
type Field = { number: number; wire: number; varint: bigint; bytes: Buffer; children: Field[] | undefined };

const MAX_DEPTH = 12;
const MAX_FIELDS = 4_000;
const ODD_VARINTS = [
  0n,
  1n,
  2n,
  127n,
  128n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x7fffffffffffffffn,
  0xffffffffffffffffn,
];
const ODD_DOUBLES = [
  "0000000000000000",
  "000000000000f07f",
  "000000000000f0ff",
  "020000000000f07f",
  "010000000000f87f",
  "ffffffffffffef7f",
  "0100000000000000",
];

/** Takes messages apart into fields and puts them together wrongly, with lengths that still fit; at times only bytes. */
export function mutateProtobuf(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  if (random.chance(0.25)) return mutateBytes(input, other, random);
  const fields = parse(Buffer.from(input), 0);
  if (!fields) return mutateBytes(input, other, random);
  const foreign = parse(Buffer.from(other), 0) ?? [];
  for (let count = 1 + random.below(5); count > 0; count--) {
    const place = randomPlace(fields, random);
    if (place) random.one(MUTATIONS)(place.siblings, place.index, foreign, random);
  }
  const bytes = write(fields);
  return random.chance(0.05) ? mutateBytes(bytes, other, random) : bytes;
}

type Mutation = (siblings: Field[], index: number, foreign: Field[], random: Random) => void;

const MUTATIONS: readonly Mutation[] = [
  (siblings, index) => siblings.splice(index, 1),
  (siblings, index, _, random) => {
    const field = siblings[index] as Field;
    const times = random.chance(0.03) ? 200 : 1;
    if (siblings.length + times < MAX_FIELDS)
      siblings.splice(index, 0, ...Array.from({ length: times }, () => copyOf(field)));
  },
  (siblings, index, _, random) => {
    const at = random.below(siblings.length);
    [siblings[index], siblings[at]] = [siblings[at] as Field, siblings[index] as Field];
  },
  (siblings, index, _, random) => {
    (siblings[index] as Field).number = random.chance(0.8) ? 1 + random.below(20) : random.below(2 ** 29);
  },
  (siblings, index, _, random) => {
    const field = siblings[index] as Field;
    field.wire = random.below(8);
    field.children = undefined;
  },
  (siblings, index, foreign, random) => {
    const place = randomPlace(foreign, random);
    if (place) siblings.splice(index, random.below(2), copyOf(place.siblings[place.index] as Field));
  },
  // A message within itself.
  (siblings, index) => {
    const field = siblings[index] as Field;
    if (field.children && field.children.length < 100) field.children.push(copyOf(field));
  },
  changeValue,
  changeValue,
  changeValue,
];

function changeValue(siblings: Field[], index: number, _: Field[], random: Random): void {
  const field = siblings[index] as Field;
  if (field.wire === 0) field.varint = random.chance(0.5) ? random.one(ODD_VARINTS) : BigInt(random.below(2 ** 31));
  else if (field.wire === 2) {
    field.children = undefined;
    field.bytes = Buffer.from(
      mutateBytes(field.bytes, siblings[random.below(siblings.length)]?.bytes ?? field.bytes, random),
    );
  } else if (field.wire === 1 && random.chance(0.7)) field.bytes = Buffer.from(random.one(ODD_DOUBLES), "hex");
  else field.bytes = Buffer.from(field.bytes.map(() => random.below(256)));
}

function copyOf(field: Field): Field {
  return { ...field, children: field.children?.map(copyOf) };
}

/** Any field, however deep. */
function randomPlace(fields: Field[], random: Random): { siblings: Field[]; index: number } | undefined {
  let siblings = fields;
  for (;;) {
    if (siblings.length === 0) return undefined;
    const index = random.below(siblings.length);
    const { children } = siblings[index] as Field;
    if (!children || children.length === 0 || random.chance(0.25)) return { siblings, index };
    siblings = children;
  }
}

/** undefined when the bytes don't read as a message. */
function parse(bytes: Buffer, depth: number): Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint | undefined => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) return undefined;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    const tag = varint();
    if (tag === undefined || tag >> 3n === 0n || tag >> 3n > 2n ** 29n) return undefined;
    const wire = Number(tag & 7n);
    const value = wire === 0 || wire === 2 ? varint() : 0n;
    if (value === undefined || (wire !== 0 && wire !== 1 && wire !== 2 && wire !== 5)) return undefined;
    const length = wire === 2 ? Number(value) : wire === 1 ? 8 : wire === 5 ? 4 : 0;
    if (length > bytes.length - at) return undefined;
    const content = bytes.subarray(at, at + length);
    at += length;
    const children = wire === 2 && depth < MAX_DEPTH && length > 1 ? parse(content, depth + 1) : undefined;
    fields.push({ number: Number(tag >> 3n), wire, varint: value, bytes: content, children });
  }
  return fields;
}

function write(fields: readonly Field[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const { number, wire, varint, bytes, children } of fields) {
    parts.push(varintBytes((BigInt(number) << 3n) | BigInt(wire)));
    if (wire === 0) parts.push(varintBytes(varint));
    else if (wire === 2) {
      const content = children ? write(children) : bytes;
      parts.push(varintBytes(BigInt(content.length)), content);
    } else parts.push(bytes);
  }
  return Buffer.concat(parts);
}

function varintBytes(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
