import { setImmediate as nextTurn } from "node:timers/promises";

/** So long it keeps the event loop. */
const MAX_TURN_MS = 8;
const ITEMS_PER_LOOK = 16;

/**
 * A JSON array in pieces, made while it is sent: tens of thousands of items at once would hold everybody else up. Items that
 * `toJson` makes undefined of are left out.
 */
export async function* jsonArray<T>(items: Iterable<T>, toJson: (item: T) => unknown): AsyncGenerator<string> {
  let piece = "[";
  let isFirst = true;
  let count = 0;
  let began = performance.now();
  for (const item of items) {
    const json = toJson(item);
    if (json !== undefined) {
      piece += isFirst ? JSON.stringify(json) : `,${JSON.stringify(json)}`;
      isFirst = false;
    }
    if (++count % ITEMS_PER_LOOK !== 0 || performance.now() - began < MAX_TURN_MS) continue;
    if (piece !== "") yield piece;
    piece = "";
    await nextTurn();
    began = performance.now();
  }
  yield `${piece}]\n`;
}
