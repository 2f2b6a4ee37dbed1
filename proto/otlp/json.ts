import { InvalidInputError, SightlineError } from "@sightline/model/errors.ts";
import type { Signal } from "@sightline/model/ports.ts";
import { BYTES, DEFAULT_MAX_DEPTH } from "../wire/reader.ts";
import { bufferOver } from "./attributes.ts";
import { ENUMS, MESSAGES, type MessageName } from "./json-messages.ts";
import { SCALARS, type Scalar } from "./json-scalars.ts";
import { scanJson } from "./json-scan.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

const REQUESTS: Readonly<Record<Signal, MessageName>> = {
  logs: "ExportLogsServiceRequest",
  traces: "ExportTraceServiceRequest",
  metrics: "ExportMetricsServiceRequest",
};

/**
 * Turns an OTLP request in JSON into the same request in protobuf, so that one decoder gives both their meaning
 * (opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding"): ids in hex, 64-bit integers as strings or
 * numbers, unknown fields ignored, null as absent. More than asked for, original field names and names of enum values
 * are understood as well.
 *
 * An id that is not hex becomes one that decoders take for invalid, so that it costs its item and not the request.
 * Throws `InvalidInputError` naming the place: `resourceLogs[0].scopeLogs[0].logRecords[3].timeUnixNano: …`; also for
 * messages nested deeper than `maxDepth`.
 */
export function otlpJsonToProtobuf(signal: Signal, bytes: Uint8Array, maxDepth = DEFAULT_MAX_DEPTH): Uint8Array {
  const request = parseJson(bytes, maxDepth);
  return new JsonEncoder(bytes.length, maxDepth).encode(request, REQUESTS[signal]);
}

/** A message in an array in a message: three levels in JSON where protobuf has two. Arrays at the top add some. */
const JSON_LEVELS_PER_MESSAGE = 2;

type JsonObject = Readonly<Record<string, unknown>>;

function parseJson(bytes: Uint8Array, maxDepth: number): unknown {
  const { hasLongNumbers } = scanJson(bytes, JSON_LEVELS_PER_MESSAGE * maxDepth);
  const hasByteOrderMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const text = bufferOver(bytes).toString("utf8", hasByteOrderMark ? 3 : 0);
  try {
    return hasLongNumbers ? JSON.parse(text, exactIntegers) : JSON.parse(text);
  } catch (cause) {
    throw new InvalidInputError(`request body is not valid JSON: ${(cause as Error).message}`, { cause });
  }
}

/** Keeps the digits of integers that a double would round: times in nanoseconds are all of that kind. */
function exactIntegers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && /^-?\d+$/.test(source) ? source : value;
}

type Field = {
  /** The name in JSON. */
  readonly name: string;
  readonly number: number;
  readonly isRepeated: boolean;
  /** One of the two is there. */
  readonly scalar: Scalar | undefined;
  readonly message: MessageName | undefined;
};

class JsonEncoder {
  readonly #writer: ProtobufWriter;
  /** Names and indexes on the way to the value at hand, for messages. */
  readonly #path: (string | number)[] = [];
  readonly #maxDepth: number;
  #depth = 0;

  constructor(inputBytes: number, maxDepth: number) {
    this.#maxDepth = maxDepth;
    this.#writer = new ProtobufWriter(inputBytes);
  }

  encode(value: unknown, message: MessageName): Uint8Array {
    try {
      this.#message(value, message);
    } catch (cause) {
      if (!(cause instanceof SightlineError)) throw cause;
      const place = this.#path.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("");
      throw new InvalidInputError(`${place.slice(1) || "request"}: ${cause.message}`, { cause });
    }
    return this.#writer.finish();
  }

  #message(value: unknown, message: MessageName): void {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new InvalidInputError(`a JSON object is expected, not ${nameOf(value)}`);
    }
    const fields = FIELDS.get(message) as ReadonlyMap<string, Field>;
    for (const key of Object.keys(value)) {
      const field = fields.get(key);
      const content = (value as JsonObject)[key];
      if (!field || content === null || content === undefined) continue;
      this.#path.push(key);
      if (field.isRepeated) this.#list(content, field);
      else this.#single(content, field);
      this.#path.pop();
    }
  }

  #single(value: unknown, field: Field): void {
    const { scalar, message, number } = field;
    if (scalar) {
      this.#writer.tag(number, scalar.wireType);
      scalar.write(this.#writer, value);
      return;
    }
    if (++this.#depth > this.#maxDepth) {
      throw new InvalidInputError(`nested deeper than ${this.#maxDepth} messages (limits.max_depth)`);
    }
    this.#writer.tag(number, BYTES);
    const start = this.#writer.open();
    this.#message(value, message as MessageName);
    this.#writer.close(start);
    this.#depth--;
  }

  #list(value: unknown, field: Field): void {
    if (!Array.isArray(value)) throw new InvalidInputError(`a JSON array is expected, not ${nameOf(value)}`);
    const packed = field.scalar !== undefined && field.scalar.wireType !== BYTES ? field.scalar : undefined;
    let start = 0;
    if (packed) {
      this.#writer.tag(field.number, BYTES);
      start = this.#writer.open();
    }
    for (let i = 0; i < value.length; i++) {
      this.#path.push(i);
      if (packed) packed.write(this.#writer, value[i]);
      // An empty AnyValue is written as null by some.
      else this.#single(value[i] === null && field.message ? {} : value[i], field);
      this.#path.pop();
    }
    if (packed) this.#writer.close(start);
  }
}

/** By the name of the message, then by the name of the field: as JSON has it, and as the .proto files have it. */
const FIELDS: ReadonlyMap<MessageName, ReadonlyMap<string, Field>> = new Map(
  (Object.keys(MESSAGES) as MessageName[]).map((message) => [message, fieldsOf(message)]),
);

function fieldsOf(message: MessageName): Map<string, Field> {
  const fields = new Map<string, Field>();
  for (const [name, [number, type, repeated]] of Object.entries(MESSAGES[message])) {
    const scalar =
      type in ENUMS ? SCALARS.enumOf(ENUMS[type] as ReadonlyMap<string, number>) : SCALARS.byType.get(type);
    const field: Field = {
      name,
      number,
      isRepeated: repeated === "repeated",
      scalar,
      message: scalar ? undefined : (type as MessageName),
    };
    fields.set(name, field);
    fields.set(
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      field,
    );
  }
  return fields;
}

function nameOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "object") return Array.isArray(value) ? "an array" : "an object";
  return `a ${typeof value}`;
}
