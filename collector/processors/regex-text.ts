import { compileRegex } from "@sightline/model/regex.ts";
import { z } from "zod";

/** A regular expression in a setting: RE2, checked when the settings are read. */
export const regexText = z.string().superRefine((source, context) => {
  try {
    compileRegex(source);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
});
