import { createHash } from "node:crypto";
import type { OpenSearchConfig } from "../config.ts";
import type { OpenSearchConnection } from "../connection/open-search-connection.ts";
import { DEFAULT_GROUP, type IndexNames } from "./index-names.ts";
import type { Row, RowCodec } from "./row-codec.ts";
import { TOKENS_ANALYSIS } from "./tokens.ts";

/** Above those that others ship for patterns such as `*-logs-*`. */
const PRIORITY = 500;
const KEYWORD = { type: "keyword" };
/** Neither found by nor sorted by. */
const KEPT_ONLY = { type: "object", enabled: false };

/** Of the dates that OpenSearch can read, the one that it reads soonest. */
const DATE_FORMAT = "rfc3339_lenient";
/** Goes up when documents are written that an index as it was before would not take, or not find. */
const LAYOUT = 4;

/**
 * What every document has. `time_ns` is exact for any time; `timestamp` is the same for those who know OpenSearch alone,
 * within the years that its type can say (1970 to 2262).
 */
const COMMON_FIELDS = {
  tenant: KEYWORD,
  project_id: { type: "alias", path: "tenant" },
  timestamp: { type: "date_nanos", format: DATE_FORMAT },
  time_ns: { type: "long" },
  // Searched for through its column, which is slower; Sightline does not.
  ingested_at: { type: "date", format: DATE_FORMAT, index: false },
  writer: KEYWORD,
  position: { type: "long" },
  row: { type: "integer", index: false },
};

/** Puts the templates that new indexes are made by. Indexes that are there already stay as they are until they roll over. */
export async function putTemplates<Batch extends { readonly length: number }, R extends Row>(
  connection: OpenSearchConnection,
  names: IndexNames,
  codec: RowCodec<Batch, R>,
  config: OpenSearchConfig,
): Promise<void> {
  const replicas = { "index.auto_expand_replicas": `0-${config.replicas}` };
  const put = (name: string, template: object) => putTemplate(connection, name, template);
  const groups = { [DEFAULT_GROUP]: {}, ...config.tenant_groups };
  for (const [group, { primary_shards = config.primary_shards }] of Object.entries<{
    primary_shards?: number | undefined;
  }>(groups)) {
    const name = names.dataStream(group);
    await put(name, {
      index_patterns: [name],
      priority: PRIORITY,
      data_stream: { timestamp_field: { name: "timestamp" } },
      template: {
        settings: {
          ...replicas,
          "index.number_of_shards": primary_shards,
          // A flush refreshes what it wrote by itself; this is for rows whose writer ended before.
          "index.refresh_interval": "30s",
          "index.codec": "best_compression",
          "index.mapping.total_fields.limit": 200,
          analysis: {
            tokenizer: { ...TOKENS_ANALYSIS.tokenizer, ...codec.analysis.tokenizer },
            analyzer: { ...TOKENS_ANALYSIS.analyzer, ...codec.analysis.analyzer },
          },
        },
        mappings: { dynamic: false, _meta: { layout: LAYOUT }, properties: { ...COMMON_FIELDS, ...codec.mapping } },
      },
    });
  }
  await put(names.others, {
    index_patterns: names.otherPatterns,
    priority: PRIORITY,
    template: {
      settings: { ...replicas, "index.number_of_shards": 1 },
      mappings: { dynamic: false, properties: OTHER_FIELDS },
    },
  });
}

type DataStreams = {
  readonly data_streams?: readonly {
    readonly name: string;
    readonly indices: readonly { readonly index_name: string }[];
  }[];
};
type Layouts = Readonly<Record<string, { readonly mappings?: { readonly _meta?: { readonly layout?: number } } }>>;

/** Indexes of another layout are written to no more: new ones follow. What they have is found as before. */
export async function replaceOldIndexes(connection: OpenSearchConnection, names: IndexNames): Promise<void> {
  const { body } = await connection.send<DataStreams>("list data streams", {
    method: "GET",
    path: `/_data_stream/${names.all}`,
    accept: [NOT_FOUND],
  });
  for (const { name, indices } of body.data_streams ?? []) {
    const index = indices.at(-1)?.index_name ?? "";
    const { body: layouts } = await connection.send<Layouts>("read layout", {
      method: "GET",
      path: `/${index}/_mapping`,
    });
    if (layouts[index]?.mappings?._meta?.layout === LAYOUT) continue;
    await connection.send("roll over", { method: "POST", path: `/${name}/_rollover` });
  }
}

/** Of notes on writers and deletions, and of rows that are put aside. */
const OTHER_FIELDS = {
  kind: KEYWORD,
  signal: KEYWORD,
  tenant: KEYWORD,
  writer: KEYWORD,
  state: KEYWORD,
  seq: { type: "long" },
  deletion: KEYWORD,
  order: { type: "long" },
  at: { type: "date", format: "epoch_millis" },
  row: KEPT_ONLY,
};

type Templates = {
  readonly index_templates?: readonly { readonly index_template: { readonly _meta?: { hash?: string } } }[];
};
const NOT_FOUND = 404;

/** Every writer does so when it starts: a template that is there already is left alone. */
async function putTemplate(connection: OpenSearchConnection, name: string, template: object): Promise<void> {
  const path = `/_index_template/${name}`;
  const hash = createHash("sha256").update(JSON.stringify(template)).digest("base64url");
  const { body } = await connection.send<Templates>("read template", { method: "GET", path, accept: [NOT_FOUND] });
  if (body.index_templates?.[0]?.index_template._meta?.hash === hash) return;
  await connection.send("put template", { method: "PUT", path, body: { ...template, _meta: { hash } } });
}
