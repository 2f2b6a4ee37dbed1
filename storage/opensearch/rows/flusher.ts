import type { Logger } from "@sightline/model/logger.ts";
import type { OpenSearchConnection } from "../connection/open-search-connection.ts";
import type { BulkItem, BulkWriter, RefusedItem } from "./bulk-writer.ts";
import type { HotBatch } from "./hot-rows.ts";
import type { IndexNames } from "./index-names.ts";
import type { Row, RowCodec } from "./row-codec.ts";
import { createAction, rowItem } from "./row-document.ts";
import type { StoreMetrics } from "./store-metrics.ts";
import type { WriterCheckpoint } from "./writer-checkpoint.ts";

export type FlusherOptions<Batch extends { readonly length: number }, R extends Row> = {
  readonly connection: OpenSearchConnection;
  readonly bulk: BulkWriter;
  readonly checkpoint: WriterCheckpoint;
  readonly names: IndexNames;
  readonly codec: RowCodec<Batch, R>;
  readonly writer: string;
  readonly logger: Logger;
  readonly metrics: StoreMetrics;
};

/** Brings rows from memory to OpenSearch. */
export class Flusher<Batch extends { readonly length: number }, R extends Row> {
  readonly #options: FlusherOptions<Batch, R>;
  #hasFailed = false;

  constructor(options: FlusherOptions<Batch, R>) {
    this.#options = options;
  }

  /** Durable, found by searches, and noted in the checkpoint when it settles. Not empty. */
  async write(batches: readonly HotBatch<Batch>[]): Promise<void> {
    const { connection, bulk, checkpoint, names, metrics } = this.#options;
    if (this.#hasFailed) await checkpoint.beforeRetry();
    this.#hasFailed = true;
    const { refused, retried } = await bulk.write(this.#items(batches));
    metrics.retried.inc(retried);
    if (refused.length > 0) await this.#putAside(refused);
    const dataStreams = new Set(batches.map(({ tenant }) => names.dataStreamOf(tenant)));
    await connection.send("refresh", { method: "POST", path: `/${[...dataStreams].join()}/_refresh` });
    await checkpoint.write((batches.at(-1) as HotBatch<Batch>).position);
    this.#hasFailed = false;
  }

  *#items(batches: readonly HotBatch<Batch>[]): Generator<BulkItem> {
    const { codec, names, writer } = this.#options;
    for (const hot of batches) {
      const target = { dataStream: names.dataStreamOf(hot.tenant), writer };
      for (const row of hot.rows) yield rowItem(codec, hot, row, target);
    }
  }

  /** Their senders were told long ago that they are kept. */
  async #putAside(refused: readonly RefusedItem[]): Promise<void> {
    const { bulk, names, logger, metrics } = this.#options;
    const { deadLetters: index } = names;
    const at = Date.now();
    const items = refused.map(({ item, reason }): BulkItem => {
      const row = JSON.parse(item.document ?? "{}");
      const { _id: id } = JSON.parse(item.action).create;
      return { action: createAction(index, id), document: JSON.stringify({ tenant: row.tenant, at, reason, row }) };
    });
    const { refused: lost } = await bulk.write(items);
    metrics.deadLetters.inc(refused.length);
    const example = refused[0]?.reason;
    logger.error("OpenSearch refused rows; they are kept aside", { rows: refused.length, index, example });
    if (lost.length > 0) logger.error("OpenSearch refused rows even so; they are gone", { rows: lost.length });
  }
}
