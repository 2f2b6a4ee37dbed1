import { parseBytes, parseDurationMs } from "@sightline/model/units.ts";
import { z } from "zod";

/** A parser that throws, as a transform that reports what it throws. */
export function asIssue<Given, Parsed>(parse: (value: Given) => Parsed) {
  return (value: Given, context: z.core.$RefinementCtx): Parsed => {
    try {
      return parse(value);
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
      return z.NEVER;
    }
  };
}

/** Text such as `15d`, parsed to milliseconds. */
export const durationText = z.string().transform(asIssue(parseDurationMs));
/** The same, `fallback` where nothing is said. */
export const duration = (fallback: string) => durationText.prefault(fallback);

/** Text such as `64MiB`, parsed to bytes. */
export const sizeText = z.string().transform(asIssue(parseBytes));
/** The same, `fallback` where nothing is said. */
export const size = (fallback: string) => sizeText.prefault(fallback);

/** A whole number from `minimum` on, `fallback` where nothing is said. */
export const count = (fallback: number, minimum = 1) => z.number().int().min(minimum).default(fallback);
/** A whole number above 0. */
export const positive = z.number().int().positive();
