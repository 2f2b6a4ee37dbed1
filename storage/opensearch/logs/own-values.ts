import type { LogStream } from "@sightline/model/log-batch.ts";
import { knownLokiLabelName } from "@sightline/model/loki-label-name.ts";
import type { OpenSearchConnection } from "../connection/open-search-connection.ts";
import { attributeToken, isExactToken } from "../rows/attribute-text.ts";
import { rowOfSource } from "../rows/row-document.ts";
import { type DocumentSource, type RowSearch, rowQuery, SEARCH_OPTIONS } from "../rows/search-rows.ts";
import type { LogCodec, LogRecord } from "./log-codec.ts";

export type OwnValuesOptions = {
  readonly connection: OpenSearchConnection;
  readonly index: string;
  readonly codec: LogCodec;
};

/** More make many requests; reading the rows is not so much slower then. */
const MAX_VALUES = 200;
const MAX_PAGES = 20;
const PAGE_ROWS = 200;

type Page = { readonly hits?: { readonly hits?: readonly { readonly _source: DocumentSource }[] } };

/**
 * Values that attributes of the records themselves give a label, by their tokens in the index. Found in a few records, then in a
 * few that have none of those, until there are no others. Undefined when there are many, or one that a token does not tell.
 */
export async function ownValues(
  { connection, index, codec }: OwnValuesOptions,
  label: string,
  search: RowSearch,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string> | undefined> {
  const values = new Map<string, string>();
  for (let page = 0; page < MAX_PAGES; page++) {
    const query = rowQuery({
      ...search,
      must: [...search.must, hasOwn(label)],
      mustNot: [...search.mustNot, { terms: { fields: [...values.keys()] } }],
    });
    const { body } = await connection.send<Page>(
      "list values",
      {
        method: "POST",
        path: `/${index}/_search`,
        query: { ...SEARCH_OPTIONS, filter_path: "hits.hits._source" },
        body: { size: PAGE_ROWS, track_total_hits: false, query, sort: ["_doc"] },
      },
      signal,
    );
    const rows = body.hits?.hits ?? [];
    if (rows.length === 0) return values;
    for (const { _source } of rows) {
      if (!addValues(values, rowOfSource(codec, _source), label) || values.size > MAX_VALUES) return undefined;
    }
  }
  return undefined;
}

/** False when it can't be told by its token what a record has. */
function addValues(values: Map<string, string>, { attributes }: LogRecord, label: string): boolean {
  let hasAny = false;
  for (const { name, value } of attributes) {
    if (value === "" || knownLokiLabelName(name) !== label) continue;
    // Of "a=b=c" nobody knows where the name ends.
    if (!isExactToken(name, value) || value.includes("=") || name.includes("=")) return false;
    values.set(attributeToken(name, value), value);
    hasAny = true;
  }
  return hasAny;
}

/** Whether a token of the stream's attributes could be taken for one of the record's own. */
export function mayConfuse({ resource, scope }: LogStream, label: string): boolean {
  return [...resource, ...scope.attributes].some(({ name }) => knownLokiLabelName(name) === label);
}

/** Finds records of which an attribute makes the label. */
export function hasOwn(label: string): object {
  return { term: { own_labels: label } };
}
