import { setImmediate as nextTurn } from "node:timers/promises";
import { SightlineError } from "@sightline/model/errors.ts";
import { Random } from "./random.ts";
import type { FuzzTarget } from "./target.ts";

/** A bug: what was thrown, or how long it took, and the input that does it. */
export type Finding = { readonly target: string; readonly problem: string; readonly input: Uint8Array };
export type TargetReport = {
  readonly target: string;
  readonly inputs: number;
  readonly taken: number;
  /** How many were refused, by class of error. */
  readonly refused: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly findings: readonly Finding[];
};

export const MAX_INPUT_MS = 100;
/** What is slow because the machine is busy is fast another time. */
const SLOW_TRIES = 3;
const INPUTS_PER_TURN = 4;
const MAX_FINDINGS = 5;
const GOOD_ERRORS = new Set([
  "InvalidInputError",
  "EmptyRequestError",
  "ParseError",
  "TooLargeError",
  "LimitError",
  "CorruptionError",
]);
/** Mutations of mutations, as long as they are taken: they get further than those of good inputs alone. */
const MAX_POOL = 64;
/** Or they grow with each generation until time goes into size alone. */
const MAX_KEPT_BYTES = 8_192;

/** Gives a decoder mutations of its seeds. `onInput` sees each one before the decoder does. */
export async function fuzzOne(
  target: FuzzTarget,
  inputs: number,
  seed: number,
  onInput: (input: Uint8Array) => void,
): Promise<TargetReport> {
  const random = new Random(seed);
  const refused: Record<string, number> = {};
  const findings: Finding[] = [];
  const pool = [...target.seeds];
  let [taken, slowestMs, done] = [0, 0, 0];
  const found = (problem: string, input: Uint8Array) => findings.push({ target: target.name, problem, input });
  const { maxInputMs = MAX_INPUT_MS } = target;
  for (const good of target.seeds) {
    const { error } = await attempt(target, good);
    if (error !== undefined) found(`a good input is refused: ${textOf(error)}`, good);
  }
  for (; done < inputs && findings.length < MAX_FINDINGS; done++) {
    // Memory outside of the heap is given back between turns of the event loop, as between requests.
    if (done % INPUTS_PER_TURN === 0) await nextTurn();
    const start = random.one(random.chance(0.5) ? target.seeds : pool);
    const input = target.mutate(start, random.one(pool), random);
    onInput(input);
    let { ms, error } = await attempt(target, input);
    for (let tries = 1; ms > maxInputMs && tries < SLOW_TRIES; tries++)
      ms = Math.min(ms, (await attempt(target, input)).ms);
    slowestMs = Math.max(slowestMs, ms);
    if (ms > maxInputMs) found(`took ${Math.round(ms)} ms`, input);
    if (error === undefined) {
      taken++;
      if (input.length <= MAX_KEPT_BYTES && random.chance(0.1)) keep(pool, input, target.seeds.length, random);
    } else if (error instanceof SightlineError && GOOD_ERRORS.has(error.name)) {
      refused[error.name] = (refused[error.name] ?? 0) + 1;
    } else found(textOf(error), input);
  }
  return { target: target.name, inputs: done, taken, refused, slowestMs, findings };
}

/** `ms`: of the processor, other threads included; a busy machine takes its share of any other clock. */
async function attempt(target: FuzzTarget, input: Uint8Array): Promise<{ ms: number; error: unknown }> {
  const began = workedMs();
  try {
    const result = target.run(input);
    if (result instanceof Promise) await result;
    return { ms: workedMs() - began, error: undefined };
  } catch (error) {
    return { ms: workedMs() - began, error: error ?? new Error("nothing was thrown") };
  }
}

function workedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function textOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? `\ncaused by ${textOf(error.cause)}` : "";
  return `${error instanceof Error ? error.stack : error}${cause}`;
}

/** In the place of an earlier one when there are enough; the seeds stay. */
function keep(pool: Uint8Array[], input: Uint8Array, seeds: number, random: Random): void {
  if (pool.length < seeds + MAX_POOL) pool.push(input);
  else pool[seeds + random.below(MAX_POOL)] = input;
}
