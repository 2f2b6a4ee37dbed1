import { parseGoFloat, parseSecondsOrDuration } from "./go-syntax.ts";
import type { RequestParameters } from "./request-parameters.ts";

/** What one run of a query took, on average. */
export type TypicalCost = { readonly samples: number; readonly ms: number };

/** About ten milliseconds of work. */
const LIGHT_SAMPLES = 1_000_000;
/** Of what reads no samples. Time says less: beside other queries everything takes long. */
const LIGHT_MS = 200;
const LIGHT_STEPS = 250;
/** No time in seconds is so large: it is in nanoseconds, as Loki has them. */
const MIN_NANOSECONDS = 1e15;

/**
 * Whether a query will likely keep a place at the gate for long: by what its earlier runs took, else by the steps it
 * asks for. Only decides who waits for whom.
 */
export function looksCostly(parameters: RequestParameters, typical: TypicalCost | undefined): boolean {
  if (typical) return typical.samples === 0 ? typical.ms > LIGHT_MS : typical.samples > LIGHT_SAMPLES;
  const step = parseSecondsOrDuration(parameters.get("step"));
  if (step === undefined || "error" in step) return false;
  const spanMs = timeMs(parameters.get("end")) - timeMs(parameters.get("start"));
  return spanMs / step.ms > LIGHT_STEPS;
}

/** NaN when it is no time. */
function timeMs(text: string): number {
  const number = parseGoFloat(text);
  if (number === undefined) return Date.parse(text);
  return number >= MIN_NANOSECONDS ? number / 1e6 : number * 1_000;
}
