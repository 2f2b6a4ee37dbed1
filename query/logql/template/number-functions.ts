import { parseGoDuration } from "@sightline/model/go-duration.ts";
import { GoMap, type GoValue, Int64, isTrue } from "@sightline/model/go-template/go-value.ts";
import {
  ofStrings,
  type TemplateFunction,
  type TemplateFunctions,
} from "@sightline/model/go-template/template-function.ts";
import { parseHumanBytes } from "../parse/go-bytes.ts";
import { decimalArithmetic } from "./decimal.ts";
import { castFloat, castInt } from "./go-cast.ts";

function ofInts(fold: (a: bigint, b: bigint) => bigint, isVariadic: boolean): TemplateFunction {
  return {
    parameters: isVariadic ? ["any"] : ["any", "any"],
    isVariadic,
    call: (args) => new Int64(args.length === 0 ? 0n : args.map(castInt).reduce((a, b) => fold(a, b))),
  };
}

function larger(a: bigint, b: bigint): bigint {
  if (b > a) return b;
  return a;
}

function smaller(a: bigint, b: bigint): bigint {
  if (b < a) return b;
  return a;
}

function nonZero(divisor: bigint): bigint {
  if (divisor === 0n) throw new Error("runtime error: integer divide by zero");
  return divisor;
}

function ofDecimals(operation: "add" | "sub" | "mul" | "div", least: number): TemplateFunction {
  return {
    parameters: least === 0 ? ["any"] : ["any", "any"],
    isVariadic: true,
    call: (args) => {
      const values = args.map(castFloat);
      return decimalArithmetic(operation, operation === "add" ? [0, ...values] : values);
    },
  };
}

function ofFloats(fold: (a: number, b: number) => number): TemplateFunction {
  return { parameters: ["any", "any"], isVariadic: true, call: (args) => args.map(castFloat).reduce(fold) };
}

function ofFloat(call: (value: number) => number): TemplateFunction {
  return { parameters: ["any"], call: ([value]) => call(castFloat(value as GoValue)) };
}

/** sprig's round: the third argument is the fraction from which it goes up. */
const round: TemplateFunction = {
  parameters: ["any", "int", "float64"],
  isVariadic: true,
  call: ([value, places, roundOn = 0.5]) => {
    const power = 10 ** Number(places);
    const scaled = power * castFloat(value as GoValue);
    const fraction = scaled - Math.trunc(scaled);
    return (fraction >= (roundOn as number) ? Math.ceil(scaled) : Math.floor(scaled)) / power;
  },
};

function durationSeconds(text: string): number {
  const duration = parseGoDuration(text);
  if ("error" in duration) throw new Error(duration.error);
  return duration.ns / 1e9;
}

function sizeInBytes(text: string): number {
  const size = parseHumanBytes(text);
  if ("error" in size) throw new Error(size.error);
  return size.bytes;
}

/** What JSON says; null for what is none. */
function fromJson(text: string): GoValue {
  try {
    return goValueOf(JSON.parse(text) as unknown);
  } catch {
    return null;
  }
}

function goValueOf(json: unknown): GoValue {
  if (Array.isArray(json)) return json.map(goValueOf);
  if (typeof json !== "object" || json === null) return json as GoValue;
  return new GoMap(new Map(Object.entries(json).map(([key, value]) => [key, goValueOf(value)])), true);
}

/** Functions of numbers and of values in general: Loki's own, and those of sprig that it lists. */
export const NUMBER_FUNCTIONS: TemplateFunctions = {
  int: { parameters: ["any"], call: ([value]) => castInt(value as GoValue) },
  float64: ofFloat((value) => value),
  add: ofInts((a, b) => a + b, true),
  sub: ofInts((a, b) => a - b, false),
  mul: { ...ofInts((a, b) => a * b, true), parameters: ["any", "any"] },
  div: ofInts((a, b) => a / nonZero(b), false),
  mod: ofInts((a, b) => a % nonZero(b), false),
  addf: ofDecimals("add", 0),
  subf: ofDecimals("sub", 1),
  mulf: ofDecimals("mul", 1),
  divf: ofDecimals("div", 1),
  max: { ...ofInts((a, b) => larger(a, b), true), parameters: ["any", "any"] },
  min: { ...ofInts((a, b) => smaller(a, b), true), parameters: ["any", "any"] },
  maxf: ofFloats((a, b) => Math.max(a, b)),
  minf: ofFloats((a, b) => Math.min(a, b)),
  ceil: ofFloat(Math.ceil),
  floor: ofFloat(Math.floor),
  round,
  bytes: ofStrings(1, (text = "") => sizeInBytes(text)),
  duration: ofStrings(1, (text = "") => durationSeconds(text)),
  duration_seconds: ofStrings(1, (text = "") => durationSeconds(text)),
  fromJson: {
    parameters: ["string"],
    call: ([text], { charactersLeft }) => {
      // Objects take many times the room of their text, and of the time to read it.
      if ((text as string).length > charactersLeft / 16) throw new Error("the text is too long to be read as JSON");
      return fromJson(text as string);
    },
  },
  default: {
    parameters: ["any", "any"],
    isVariadic: true,
    call: ([fallback, given]) => (given !== undefined && isTrue(given) ? given : (fallback as GoValue)),
  },
};
