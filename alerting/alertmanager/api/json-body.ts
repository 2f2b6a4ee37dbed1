import { setImmediate as nextTurn } from "node:timers/promises";
import { jsonKind, RequestProblem } from "./request-problem.ts";

/** Longer items are refused: an alert is far shorter. */
const MAX_ITEM_BYTES = 1024 * 1024;
/** Parsed in one go: about a millisecond. */
const SLICE_BYTES = 256 * 1024;

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP] = [0x5b, 0x5d, 0x7b, 0x7d];

/** A body that is one value of JSON; undefined for an empty one. Throws {@link RequestProblem}. */
export function parseJsonBody(what: string, body: Buffer): unknown {
  const text = body.toString("utf8");
  return text.trim() === "" ? undefined : parse(what, text);
}

/**
 * A body that is an array of JSON, in turns of the event loop: tens of thousands of alerts would hold it for 100 ms. undefined
 * for an empty body, null for `null`. Throws {@link RequestProblem}; `typeName` is what the array is called then.
 */
export async function parseJsonArray(
  what: string,
  typeName: string,
  body: Buffer,
): Promise<readonly unknown[] | null | undefined> {
  if (body.length <= SLICE_BYTES || firstByte(body) !== OPEN_LIST) return parseSmall(what, typeName, body);
  const items: unknown[] = [];
  const scanner = new ItemScanner(body);
  let begin = scanner.position;
  while (!scanner.isAtEnd) {
    const end = scanner.next(begin + SLICE_BYTES);
    if (end === undefined) {
      const isLong = scanner.position < body.length;
      throw RequestProblem.unreadable(
        what,
        isLong ? `an item has more than ${MAX_ITEM_BYTES} bytes` : "unexpected EOF",
      );
    }
    const text = body.toString("utf8", begin, end);
    // Nothing at all is an array without items; a slice in the middle has some.
    const slice = parse(what, `[${text}]`) as unknown[];
    if (slice.length === 0 && items.length > 0) throw RequestProblem.unreadable(what, "invalid character ']'");
    for (const item of slice) items.push(item);
    begin = end + 1;
    await nextTurn();
  }
  if (body.toString("utf8", scanner.position).trim() !== "") {
    throw RequestProblem.unreadable(what, "invalid character after top-level value");
  }
  return items;
}

/** Only what begins as an array is parsed at all. */
function parseSmall(what: string, typeName: string, body: Buffer): readonly unknown[] | null | undefined {
  if (body.length > SLICE_BYTES) throw RequestProblem.unreadable(what, "it is not an array");
  const value = parseJsonBody(what, body);
  if (value === undefined || value === null || Array.isArray(value)) return value;
  throw RequestProblem.unreadable(what, `json: cannot unmarshal ${jsonKind(value)} into Go value of type ${typeName}`);
}

function firstByte(body: Buffer): number | undefined {
  for (const byte of body.subarray(0, MAX_ITEM_BYTES)) if (byte > 0x20) return byte;
  return undefined;
}

function parse(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { message } = cause as Error;
    const at = Number(/at position (\d+)/.exec(message)?.[1] ?? text.length);
    throw RequestProblem.unreadable(what, text.slice(at).trim() === "" ? "unexpected EOF" : message);
  }
}

/** Finds commas between the items of the outermost array. */
class ItemScanner {
  readonly #body: Buffer;
  /** Behind the last byte that was looked at. */
  position: number;
  isAtEnd = false;
  #depth = 0;
  #isText = false;

  constructor(body: Buffer) {
    this.#body = body;
    this.position = body.indexOf(OPEN_LIST) + 1;
  }

  /** Where an item ends behind `until`, or the array; undefined when neither does soon enough. */
  next(until: number): number | undefined {
    const body = this.#body;
    const last = Math.min(body.length, until + MAX_ITEM_BYTES);
    for (let i = this.position; i < last; i++) {
      const byte = body[i] as number;
      if (this.#isText) {
        if (byte === BACKSLASH) i++;
        else if (byte === QUOTE) this.#isText = false;
      } else if (byte === QUOTE) this.#isText = true;
      else if (byte === OPEN_LIST || byte === OPEN_MAP) this.#depth++;
      else if (byte === CLOSE_MAP || (byte === CLOSE_LIST && this.#depth > 0)) this.#depth--;
      else if (this.#depth === 0 && (byte === CLOSE_LIST || (byte === COMMA && i >= until))) {
        this.isAtEnd = byte === CLOSE_LIST;
        this.position = i + 1;
        return i;
      }
    }
    this.position = last;
    return undefined;
  }
}
