import { Turn } from "../http/turn.ts";
import type { SearchFilter } from "./search-filter.ts";
import type { SearchParameters } from "./search-parameters.ts";

export type Found = { readonly text: string; readonly score: number };

/** Those of `texts`, which are sorted, that the filter lets through, in order; one more than the limit if there is more. */
export async function searchTexts(
  texts: readonly string[],
  filter: SearchFilter,
  { order, limit }: Pick<SearchParameters, "order" | "limit">,
  signal: AbortSignal,
): Promise<Found[]> {
  const turn = new Turn();
  const found: Found[] = [];
  for (let i = 0; i < texts.length; i++) {
    const text = texts[order === "descending" ? texts.length - 1 - i : i] as string;
    const score = filter(text);
    if (score !== undefined) found.push({ text, score });
    if (order !== "score" && found.length > limit) break;
    const rest = turn.rest();
    if (rest) {
      await rest;
      signal.throwIfAborted();
    }
  }
  // The sort is stable: equal scores stay in the order of the texts.
  if (order === "score") found.sort((a, b) => b.score - a.score);
  return found.slice(0, limit + 1);
}
