import type { LogPattern } from "@sightline/model/log-pattern-store.ts";

/** Below it a change of counts may be chance: in standard deviations of the count that was to be expected. */
const MIN_DEVIATIONS = 3;

export type PatternChange = "new" | "gone" | "more" | "less" | "same";
export type ComparedPattern = {
  readonly pattern: string;
  readonly level: string;
  readonly change: PatternChange;
  readonly count: number;
  readonly baselineCount: number;
  /** Of all lines of its period. */
  readonly share: number;
  readonly baselineShare: number;
  /** `share / baselineShare`; null for a new one. */
  readonly ratio: number | null;
};

/**
 * What is different from a baseline: patterns that are only in one of both, and those whose share of all lines is `factor`
 * times more or less, unless that may be chance. Shares, so that periods of different lengths and loads can be compared.
 * What is most different comes first: new and gone ones by their share, then by how much the share differs.
 */
export function comparePatterns(
  patterns: readonly LogPattern[],
  baseline: readonly LogPattern[],
  factor: number,
): readonly ComparedPattern[] {
  const now = countsOf(patterns);
  const before = countsOf(baseline);
  const total = sumOf(now);
  const totalBefore = sumOf(before);
  const keys = new Set([...now.keys(), ...before.keys()]);
  return Array.from(keys, (key): ComparedPattern => {
    const [level = "", pattern = ""] = JSON.parse(key) as string[];
    const count = now.get(key) ?? 0;
    const baselineCount = before.get(key) ?? 0;
    const share = total === 0 ? 0 : count / total;
    const baselineShare = totalBefore === 0 ? 0 : baselineCount / totalBefore;
    const ratio = baselineShare === 0 ? null : share / baselineShare;
    const change = changeOf({ count, baselineCount, expected: baselineShare * total, ratio, factor });
    return { pattern, level, change, count, baselineCount, share, baselineShare, ratio };
  }).sort(
    (a, b) =>
      RANKS[a.change] - RANKS[b.change] || differenceOf(b) - differenceOf(a) || (a.pattern < b.pattern ? -1 : 1),
  );
}

const RANKS: Readonly<Record<PatternChange, number>> = { new: 0, gone: 1, more: 2, less: 2, same: 3 };

type Counts = {
  readonly count: number;
  readonly baselineCount: number;
  readonly expected: number;
  readonly ratio: number | null;
  readonly factor: number;
};

function changeOf({ count, baselineCount, expected, ratio, factor }: Counts): PatternChange {
  if (baselineCount === 0 || ratio === null) return "new";
  if (count === 0) return "gone";
  if (Math.abs(count - expected) < MIN_DEVIATIONS * Math.sqrt(Math.max(1, expected))) return "same";
  if (ratio >= factor) return "more";
  return ratio <= 1 / factor ? "less" : "same";
}

function differenceOf({ share, baselineShare }: ComparedPattern): number {
  return Math.abs(share - baselineShare);
}

function countsOf(patterns: readonly LogPattern[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { pattern, level, counts: each } of patterns) {
    const key = JSON.stringify([level, pattern]);
    counts.set(
      key,
      each.reduce((sum, count) => sum + count, counts.get(key) ?? 0),
    );
  }
  return counts;
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
