import { parseBytes } from "@sightline/model/units.ts";
import { asIssue, count } from "@sightline/settings/setting-types.ts";
import { z } from "zod";

const toBytes = asIssue(parseBytes);

/** A number of bytes, or text such as `64MiB`. */
export const size = (minBytes = 1, maxBytes = Number.MAX_SAFE_INTEGER) =>
  z.preprocess(
    (value, context) => (typeof value === "string" ? toBytes(value, context) : value),
    z.number().int().min(minBytes).max(maxBytes),
  );

/** A count where 0 means that there is no limit, which is the default. */
export const limit = (description: string) => count(0, 0).describe(`${description}; 0: no limit`);
