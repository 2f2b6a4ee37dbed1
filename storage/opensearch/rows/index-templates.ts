import type { OpenSearchConfig } from "../config.ts";
import type { OpenSearchConnection } from "../connection/open-search-connection.ts";
import { DEFAULT_GROUP, type IndexNames } from "./index-names.ts";
import type { Row, RowCodec } from "./row-codec.ts";

/** Above those that others ship for patterns such as `*-logs-*`. */
const PRIORITY = 500;
const KEYWORD = { type: "keyword" };
/** Neither found by nor sorted by. */
const KEPT_ONLY = { type: "object", enabled: false };

/**
 * What every document has. `time_ns` is exact for any time; `timestamp` is the same for those who know OpenSearch alone,
 * within the years that its type can say (1970 to 2262).
 */
const COMMON_FIELDS = {
  tenant: KEYWORD,
  project_id: { type: "alias", path: "tenant" },
  timestamp: { type: "date_nanos" },
  time_ns: { type: "long" },
  ingested_at: { type: "date", format: "epoch_millis" },
  writer: KEYWORD,
  position: { type: "long" },
  row: { type: "integer" },
};

/** Puts the templates that new indexes are made by. Indexes that are there already stay as they are until they roll over. */
export async function putTemplates<Batch extends { readonly length: number }, R extends Row>(
  connection: OpenSearchConnection,
  names: IndexNames,
  codec: RowCodec<Batch, R>,
  config: OpenSearchConfig,
): Promise<void> {
  const replicas = { "index.auto_expand_replicas": `0-${config.replicas}` };
  const put = (name: string, body: object) =>
    connection.send("put template", { method: "PUT", path: `/_index_template/${name}`, body });
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
          ...codec.settings,
        },
        mappings: { dynamic: false, properties: { ...COMMON_FIELDS, ...codec.mapping } },
      },
    });
  }
  await put(names.state, auxiliary(names.state, replicas, STATE_FIELDS));
  await put(names.trash, auxiliary(names.trash, replicas, TRASH_FIELDS));
  await put(names.deadLetters, auxiliary(names.deadLetters, replicas, DEAD_LETTER_FIELDS));
}

const STATE_FIELDS = {
  kind: KEYWORD,
  signal: KEYWORD,
  tenant: KEYWORD,
  writer: KEYWORD,
  state: KEYWORD,
  seq: { type: "long" },
};
const TRASH_FIELDS = { deletion: KEYWORD, order: { type: "long" }, row: KEPT_ONLY };
const DEAD_LETTER_FIELDS = { tenant: KEYWORD, at: { type: "date", format: "epoch_millis" }, row: KEPT_ONLY };

function auxiliary(name: string, settings: object, properties: object): object {
  return {
    index_patterns: [name],
    priority: PRIORITY,
    template: { settings: { ...settings, "index.number_of_shards": 1 }, mappings: { dynamic: false, properties } },
  };
}
