import type { OverloadResult } from "./run-overload.ts";

const MIB = 2 ** 20;
/** The last third of the run may take so much more than the second. */
const FLAT_FACTOR = 1.15;
const MAX_CANARY_P99_MS = 1_000;
const MAX_CANARY_FAILURES = 0.01;
/** Of all answers, those that never came. */
const MAX_UNANSWERED = 0.001;

export type Judgement = { readonly facts: Readonly<Record<string, unknown>>; readonly failures: readonly string[] };

/** What was measured, and what of the promises did not hold. */
export function judge(result: OverloadResult, memoryLimitBytes: number): Judgement {
  const { ledger, verdict, residentMib } = result;
  const { totals } = ledger;
  const peakMib = Math.max(...residentMib);
  const [second, last] = [averageOfThird(residentMib, 1), averageOfThird(residentMib, 2)];
  const answers = Object.values(totals.statuses).reduce((sum, count) => sum + count, 0);
  const strange = Object.keys(totals.statuses).filter(
    (status) => !/^(HTTP (200|204|429|503)|gRPC (0|8|14))$/.test(status),
  );
  const unanswered = strange.reduce((sum, status) => sum + (totals.statuses[status] ?? 0), 0);
  const failures: string[] = [];
  const must = (holds: boolean, what: string) => {
    if (!holds) failures.push(what);
  };
  must(result.alive, "the server is alive");
  must(peakMib * MIB <= memoryLimitBytes, `memory stays below the limit: ${peakMib} MiB at most`);
  must(last <= FLAT_FACTOR * second, `memory is flat: ${second} MiB on average in the second third, then ${last} MiB`);
  must(verdict.wrong.length === 0, `what was acknowledged is there once: ${verdict.wrong.slice(0, 5).join("; ")}`);
  must(totals.refused === 0, `every refusal may be repeated: ${totals.refused} may not`);
  must(totals.withoutRetryAfter === 0, `every refusal says when: ${totals.withoutRetryAfter} do not`);
  must(unanswered <= MAX_UNANSWERED * answers, `every request is answered: ${unanswered} of ${answers} are not`);
  must(
    result.canaryP99Ms < MAX_CANARY_P99_MS,
    `a query is answered in a second: p99 ${Math.round(result.canaryP99Ms)} ms`,
  );
  const canaryFailures = result.canaryFailures.length;
  must(canaryFailures <= MAX_CANARY_FAILURES * residentMib.length, `queries are answered: ${canaryFailures} failed`);
  const facts = {
    seconds: residentMib.length,
    capacityPerSecond: result.capacity,
    offered: totals.offered,
    acknowledged: totals.acknowledged,
    statuses: totals.statuses,
    refusals: totals.refusals,
    droppedByClients: ledger.dropped,
    residentMib: { peak: peakMib, secondThird: second, lastThird: last },
    canary: { p50Ms: Math.round(result.canaryP50Ms), p99Ms: Math.round(result.canaryP99Ms), failures: canaryFailures },
    canarySlowest: result.canarySlowest,
    canaryFailures: [...new Set(result.canaryFailures)].slice(0, 3),
    counted: { acknowledged: verdict.acknowledged, found: verdict.found, wrong: verdict.wrong.length },
  };
  return { facts, failures };
}

function averageOfThird(values: readonly number[], third: 1 | 2): number {
  const length = Math.floor(values.length / 3);
  const part = values.slice(third * length, (third + 1) * length);
  return Math.round(part.reduce((sum, value) => sum + value, 0) / Math.max(1, part.length));
}
