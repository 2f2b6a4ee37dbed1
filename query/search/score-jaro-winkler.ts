const PREFIX_SCALE = 0.1;
const MAX_PREFIX = 4;

/** The Jaro-Winkler similarity, as util/strutil/jarowinkler.go of Prometheus computes it. */
export function scoreJaroWinkler(term: string, text: string): number {
  if (term === text) return 1;
  if (term === "" || text === "") return 0;
  const [short, long] = [[...term], [...text]].sort((a, b) => a.length - b.length) as [string[], string[]];
  const { matches, transpositions } = matchLetters(short, long);
  if (matches === 0) return 0;
  const jaro =
    (matches * (1 / short.length) + matches * (1 / long.length) + (matches - transpositions * 0.5) / matches) / 3;
  let prefix = 0;
  while (prefix < Math.min(MAX_PREFIX, short.length) && short[prefix] === long[prefix]) prefix++;
  return jaro + prefix * PREFIX_SCALE * (1 - jaro);
}

function matchLetters(short: readonly string[], long: readonly string[]): { matches: number; transpositions: number } {
  const distance = Math.max(Math.floor(long.length / 2) - 1, 0);
  const taken = new Uint8Array(long.length);
  const matched: string[] = [];
  for (const [i, letter] of short.entries()) {
    const end = Math.min(i + distance + 1, long.length);
    for (let j = Math.max(i - distance, 0); j < end; j++) {
      if (taken[j] === 1 || long[j] !== letter) continue;
      taken[j] = 1;
      matched.push(letter);
      break;
    }
  }
  let transpositions = 0;
  let k = 0;
  for (const letter of matched) {
    while (taken[k] === 0) k++;
    if (long[k++] !== letter) transpositions++;
  }
  return { matches: matched.length, transpositions };
}
