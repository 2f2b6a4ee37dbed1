import { compileRegex } from "@sightline/model/regex.ts";
import { asIssue } from "@sightline/settings/setting-types.ts";
import { z } from "zod";

const checked = asIssue(compileRegex);

/** A regular expression in a setting: RE2, checked when the settings are read. */
export const regexText = z.string().superRefine((source, context) => void checked(source, context));
