import { isUtf8 } from "node:buffer";
import type { Utf8Texts } from "@sightline/model/utf8-texts.ts";

/** Of larger batches strings are made at once: whoever asks for them later would make all of them in one go. */
const MAX_ROWS = 16_384;
/** Strings that are made in one go. */
const STEP_ROWS = 8_192;
/** A byte that goes on with a character: 10xxxxxx. */
const CONTINUATION_MASK = 0xc0;
const CONTINUATION = 0x80;

/** Whether texts can stay what they are; `bytes` may hold anything. */
export function mayStayBytes(texts: Utf8Texts): boolean {
  return texts.length <= MAX_ROWS && isUtf8(texts.bytes) && !hasTornCharacter(texts);
}

/** The texts as strings, some at each step: see `runSteps`. What is no UTF-8 becomes U+FFFD. */
export function* stringsInSteps(texts: Utf8Texts): Generator<void, (string | undefined)[]> {
  const { has, length } = texts;
  const strings = new Array<string | undefined>(length);
  for (let i = 0; i < length; i++) {
    strings[i] = has?.[i] === 0 ? undefined : texts.at(i);
    if (i % STEP_ROWS === STEP_ROWS - 1) yield;
  }
  return strings;
}

/** Whether two neighbours make a character only together. */
function hasTornCharacter({ bytes, ends }: Utf8Texts): boolean {
  for (let i = 0; i + 1 < ends.length; i++) {
    const next = bytes[ends[i] as number];
    if (next !== undefined && (next & CONTINUATION_MASK) === CONTINUATION) return true;
  }
  return false;
}
