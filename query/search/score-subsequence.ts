/** What is not the same text scores below it, however small the difference. */
const INEXACT_SCALE = 0.999;
/** Trying every start of a text of this length would be too slow; further starts can only score a little better. */
const MAX_STARTS = 256;

/**
 * How well `pattern` is found in `text` letter by letter in order (util/strutil/subsequence.go of Prometheus): 1 for the same
 * text, 0 when a letter is missing, in between the more the longer the runs and the shorter the gaps are.
 */
export function scoreSubsequence(pattern: string, text: string): number {
  if (pattern === "" || pattern === text) return 1;
  const letters = [...text];
  const wanted = [...pattern];
  let best = -1;
  let starts = 0;
  for (let start = 0; start <= letters.length - wanted.length && starts < MAX_STARTS; start++) {
    if (letters[start] !== wanted[0]) continue;
    starts++;
    const score = scoreFrom(wanted, letters, start);
    // What is not found from here is not found further on either.
    if (score === undefined) break;
    if (score > best) best = score;
  }
  return best < 0 ? 0 : (best / (wanted.length * wanted.length)) * INEXACT_SCALE;
}

function scoreFrom(wanted: readonly string[], letters: readonly string[], start: number): number | undefined {
  const perLetter = 1 / letters.length;
  let score = 0;
  let found = 0;
  let runEnd = -1;
  let at = start;
  while (found < wanted.length) {
    while (at < letters.length && letters[at] !== wanted[found]) at++;
    if (at === letters.length) return undefined;
    const from = at;
    while (at < letters.length && found < wanted.length && letters[at] === wanted[found]) {
      at++;
      found++;
    }
    const gap = runEnd < 0 ? from : from - runEnd - 1;
    if (gap > 0) score -= gap * perLetter;
    score += (at - from) * (at - from);
    runEnd = at - 1;
  }
  const trailing = letters.length - 1 - runEnd;
  return trailing > 0 ? score - trailing * perLetter * 0.5 : score;
}
