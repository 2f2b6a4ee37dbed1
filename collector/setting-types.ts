import { parseBytes } from "@sightline/model/units.ts";
import { z } from "zod";

/** A number of bytes, or text such as `64MiB`. */
export const size = (minBytes = 1, maxBytes = Number.MAX_SAFE_INTEGER) =>
  z.preprocess((value, context) => {
    if (typeof value !== "string") return value;
    try {
      return parseBytes(value);
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
      return z.NEVER;
    }
  }, z.number().int().min(minBytes).max(maxBytes));

export const durationMs = z.number().int().positive();

/** A count where 0 means that there is no limit, which is the default. */
export const limit = (description: string) =>
  z.number().int().min(0).default(0).describe(`${description}; 0: no limit`);
