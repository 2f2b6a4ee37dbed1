import { setImmediate as nextTurn } from "node:timers/promises";

const ITEMS_PER_TURN = 200;

/**
 * A JSON array in pieces, made while it is sent: tens of thousands of items at once would hold everybody else up. Items that
 * `toJson` makes undefined of are left out.
 */
export async function* jsonArray<T>(items: Iterable<T>, toJson: (item: T) => unknown): AsyncGenerator<string> {
  let piece = "[";
  let isFirst = true;
  let count = 0;
  for (const item of items) {
    const json = toJson(item);
    if (json !== undefined) {
      piece += isFirst ? JSON.stringify(json) : `,${JSON.stringify(json)}`;
      isFirst = false;
    }
    if (++count % ITEMS_PER_TURN !== 0) continue;
    if (piece !== "") yield piece;
    piece = "";
    await nextTurn();
  }
  yield `${piece}]\n`;
}
