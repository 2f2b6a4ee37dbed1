import { FORMATS, LABEL_FILTERS, LINE_FILTERS, PARSERS, PICKS, SELECTORS } from "./line-queries.ts";
import { COMBINED, WRONG } from "./mixed-queries.ts";
import { BINARY, RANGES, VECTORS } from "./sample-queries.ts";
import { STRANGE } from "./strange-queries.ts";

/** Queries for comparing LogQL, by construct: asked as they stand. */
export type QueryFamily = { readonly name: string; readonly queries: readonly string[] };

export const QUERY_FAMILIES: readonly QueryFamily[] = [
  { name: "selectors", queries: SELECTORS },
  { name: "line filters", queries: LINE_FILTERS },
  { name: "parsers", queries: PARSERS },
  { name: "label filters", queries: LABEL_FILTERS },
  { name: "formats", queries: FORMATS },
  { name: "keep and drop", queries: PICKS },
  { name: "range aggregations", queries: RANGES },
  { name: "vector aggregations", queries: VECTORS },
  { name: "binary operators", queries: BINARY },
  { name: "combined", queries: COMBINED },
  { name: "errors", queries: WRONG },
  { name: "strange templates", queries: STRANGE.TEMPLATES },
  { name: "strange label formats", queries: STRANGE.LABEL_FORMATS },
  { name: "strange picks", queries: STRANGE.PICKED },
  { name: "strange parsers", queries: STRANGE.PARSED },
  { name: "strange filters", queries: STRANGE.IP_AND_FILTERS },
  { name: "strange unwraps", queries: STRANGE.UNWRAPS },
  { name: "strange ranges", queries: STRANGE.ABSENT_AND_OFFSETS },
  { name: "strange vectors", queries: STRANGE.VECTORS },
];
