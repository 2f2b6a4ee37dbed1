import { scoreJaroWinkler } from "./score-jaro-winkler.ts";
import { scoreSubsequence } from "./score-subsequence.ts";
import type { SearchParameters } from "./search-parameters.ts";

/** The score of a text from 0 to 1, undefined when it does not match. */
export type SearchFilter = (text: string) => number | undefined;

/** Matches what any of the terms matches, with the best score; everything when there is no term. */
export function searchFilter(parameters: SearchParameters): SearchFilter {
  const { caseSensitive, fuzzAlgorithm } = parameters;
  const threshold = parameters.fuzzThreshold / 100;
  const terms = parameters.terms
    .filter((term) => term !== "")
    .map((term) => (caseSensitive ? term : term.toLowerCase()))
    .map((term) => (fuzzAlgorithm === "subsequence" ? subsequence(term, threshold) : jaroWinkler(term, threshold)));
  if (terms.length === 0) return () => 1;
  return (text) => {
    const folded = caseSensitive ? text : text.toLowerCase();
    let best: number | undefined;
    for (const term of terms) {
      const score = term(folded);
      if (score !== undefined && score > (best ?? -1)) best = score;
    }
    return best;
  };
}

function subsequence(term: string, threshold: number): SearchFilter {
  return (text) => {
    if (text.startsWith(term)) return 1;
    const score = scoreSubsequence(term, text);
    return score > 0 && score >= threshold ? score : undefined;
  };
}

function jaroWinkler(term: string, threshold: number): SearchFilter {
  return (text) => {
    const part = scorePart(term, text);
    if (part !== undefined || threshold === 0) return part;
    const score = scoreJaroWinkler(term, text);
    return score >= threshold ? score : undefined;
  };
}

/** 1 for a prefix, down to 0.1 the further back the term begins. */
function scorePart(term: string, text: string): number | undefined {
  const index = text.indexOf(term);
  if (index <= 0) return index === 0 ? 1 : undefined;
  const position = [...text.slice(0, index)].length;
  const last = [...text].length - [...term].length;
  return last <= 0 ? 1 : 1 - (0.9 * position) / last;
}
