import { InvalidInputError } from "@sightline/model/errors.ts";
import { z } from "zod";
import type { PastSilence } from "../dispatch/hold-back.ts";
import { labelMatcher } from "../matchers/label-matcher.ts";

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const silencesSchema = z.array(
  z.object({
    matchers: z.array(
      z.object({ name: z.string(), value: z.string(), isRegex: z.boolean(), isEqual: z.boolean().default(true) }),
    ),
    startsAt: time,
    endsAt: time,
  }),
);
/** A list of silences as API v2 gives them and amtool prints them. `from` is named in messages. Throws `InvalidInputError`. */
export function parseSilences(text: string, from: string): readonly PastSilence[] {
  try {
    return silencesSchema.parse(JSON.parse(text)).map(({ matchers, startsAt, endsAt }) => ({
      startsAtMs: startsAt,
      endsAtMs: endsAt,
      matchers: matchers.map(({ name, value, isRegex, isEqual }) =>
        labelMatcher(name, isRegex ? (isEqual ? "=~" : "!~") : isEqual ? "=" : "!=", value),
      ),
    }));
  } catch (cause) {
    const problem = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new InvalidInputError(`${from}: ${problem}`, { cause });
  }
}
