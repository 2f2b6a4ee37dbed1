import type { GoTime } from "@sightline/model/go-template/go-time.ts";

/** What Loki's functions know of the line that a template is run for. */
export type LineContext = { readonly line: string; readonly time: GoTime };
