import { nameless } from "../eval/result-labels.ts";
import { FLOAT, type StepSeries } from "../eval/step-series.ts";
import { acosh, asinh, atanh, cosh, exp, sinh, tanh } from "../go-exponential.ts";
import { log, log2, log10 } from "../go-math.ts";
import { acos, asin, atan, cos, sin, tan } from "../go-trigonometry.ts";
import type { FunctionCall, VectorFunction } from "./vector-function.ts";

/** Functions of each float by itself; histograms are left out. */
export const MATH_FUNCTIONS: ReadonlyMap<string, VectorFunction> = new Map<string, VectorFunction>([
  ...Object.entries({
    abs: Math.abs,
    ceil: Math.ceil,
    floor: Math.floor,
    exp,
    sqrt: Math.sqrt,
    ln: log,
    log2,
    log10,
    sin,
    cos,
    tan,
    asin,
    acos,
    atan,
    sinh,
    cosh,
    tanh,
    asinh,
    acosh,
    atanh,
    rad: (value: number) => (value * Math.PI) / 180,
    deg: (value: number) => (value * 180) / Math.PI,
    sgn: (value: number) => (value < 0 ? -1 : value > 0 ? 1 : value),
  }).map(([name, map]): [string, VectorFunction] => [name, (call) => mapFloats(call, map)]),
  ["round", round],
  ["clamp", (call) => clamp(call, call.scalar(1), call.scalar(2))],
  ["clamp_min", (call) => clamp(call, call.scalar(1), undefined)],
  ["clamp_max", (call) => clamp(call, undefined, call.scalar(1))],
  ["min_of", (call) => scalars(call, goMin)],
  ["max_of", (call) => scalars(call, goMax)],
]);

/** `map` applied to every float of the first argument. */
export async function mapFloats(call: FunctionCall, map: (value: number, step: number) => number) {
  return call.result(await mapFloatsOf(call, call.vector(0), map));
}

async function mapFloatsOf(
  { context }: FunctionCall,
  inputs: readonly StepSeries[],
  map: (value: number, step: number) => number,
): Promise<StepSeries[]> {
  const results: StepSeries[] = [];
  for (const input of inputs) {
    const out = nameless(context, input);
    let any = false;
    for (let step = 0; step < input.kinds.length; step++) {
      if (input.kinds[step] !== FLOAT) continue;
      out.values[step] = map(input.values[step] as number, step);
      out.kinds[step] = FLOAT;
      any = true;
    }
    if (any) {
      context.hold(input.kinds.length);
      results.push(out);
    }
    if (context.tired(2 * input.kinds.length)) await context.breathe();
  }
  return results;
}

/** Ties go up. Multiplying by the inverse is what Prometheus does, as it is off less often. */
function round(call: FunctionCall) {
  const nearest = call.args.length > 1 ? call.scalar(1) : undefined;
  return mapFloats(call, (value, step) => {
    const inverse = 1 / (nearest ? (nearest[step] as number) : 1);
    return Math.floor(value * inverse + 0.5) / inverse;
  });
}

async function clamp(call: FunctionCall, min: Float64Array | undefined, max: Float64Array | undefined) {
  const { context, grid } = call;
  const results: StepSeries[] = [];
  for (const input of call.vector(0)) {
    const out = nameless(context, input);
    for (let step = 0; step < grid.steps; step++) {
      const least = min ? (min[step] as number) : Number.NEGATIVE_INFINITY;
      const most = max ? (max[step] as number) : Number.POSITIVE_INFINITY;
      if (input.kinds[step] !== FLOAT || most < least) continue;
      out.setFloat(step, goMax(least, goMin(most, input.values[step] as number)));
    }
    if (!out.isEmpty()) {
      context.hold(grid.steps);
      results.push(out);
    }
    if (context.tired(2 * grid.steps)) await context.breathe();
  }
  return call.result(results);
}

function scalars(call: FunctionCall, operate: (a: number, b: number) => number) {
  const right = call.scalar(1);
  const values = call.scalar(0).map((left, step) => operate(left, right[step] as number));
  return { type: "scalar", values } as const;
}

/** Go's math.Max and math.Min: an infinity of the right sign wins over NaN. */
function goMax(a: number, b: number): number {
  return a === Number.POSITIVE_INFINITY || b === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : Math.max(a, b);
}
function goMin(a: number, b: number): number {
  return a === Number.NEGATIVE_INFINITY || b === Number.NEGATIVE_INFINITY ? Number.NEGATIVE_INFINITY : Math.min(a, b);
}
