import type { Logger } from "@sightline/model/logger.ts";
import type { OpenSearchConnection } from "../connection/open-search-connection.ts";
import type { BulkItem, BulkWriter, RefusedItem } from "./bulk-writer.ts";
import type { HotBatch } from "./hot-rows.ts";
import type { IndexNames } from "./index-names.ts";
import type { Row, RowCodec } from "./row-codec.ts";
import { createAction, rowItems } from "./row-document.ts";
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

type Portion<Batch> = readonly HotBatch<Batch>[];
/** What {@link Flusher.write} takes its portions from. */
export type PortionSource<Batch> = {
  /** Those after the first `skipped` batches; empty at the end. */
  next(skipped: number): Portion<Batch>;
  /** Durable, found by searches, and noted in the checkpoint: the first batches that there are. */
  done(portion: Portion<Batch>): void;
};

/** Brings rows from memory to OpenSearch. */
export class Flusher<Batch extends { readonly length: number }, R extends Row> {
  readonly #options: FlusherOptions<Batch, R>;
  #hasFailed = false;

  constructor(options: FlusherOptions<Batch, R>) {
    this.#options = options;
  }

  /**
   * One portion after the other; one is under way while the one before is made visible and noted. Nothing is under way any more
   * when it settles.
   */
  async write(source: PortionSource<Batch>): Promise<void> {
    if (this.#hasFailed) await this.#options.checkpoint.beforeRetry();
    this.#hasFailed = true;
    let undone = 0;
    let noting: Promise<void> = Promise.resolve();
    for (;;) {
      const portion = source.next(undone);
      if (portion.length === 0) break;
      const stopTimer = this.#options.metrics.flushSeconds.startTimer();
      await both(noting, this.#send(portion));
      undone = portion.length;
      noting = this.#note(portion).then(() => {
        undone = 0;
        stopTimer();
        source.done(portion);
      });
    }
    await noting;
    this.#hasFailed = false;
  }

  /** Durable when it settles. */
  async #send(portion: Portion<Batch>): Promise<void> {
    const { bulk, metrics } = this.#options;
    const { refused, retried } = await bulk.write(this.#items(portion));
    metrics.retried.inc(retried);
    if (refused.length > 0) await this.#putAside(refused);
  }

  /** Searches find what was sent, and the checkpoint says so. */
  async #note(portion: Portion<Batch>): Promise<void> {
    const { connection, checkpoint, names } = this.#options;
    const dataStreams = new Set(portion.map(({ tenant }) => names.dataStreamOf(tenant)));
    await connection.send("refresh", { method: "POST", path: `/${[...dataStreams].join()}/_refresh` });
    await checkpoint.write((portion.at(-1) as HotBatch<Batch>).position);
  }

  *#items(batches: readonly HotBatch<Batch>[]): Generator<BulkItem> {
    const { codec, names, writer } = this.#options;
    for (const hot of batches) {
      yield* rowItems(codec, hot, { dataStream: names.dataStreamOf(hot.tenant), writer });
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

/** Waits for both, whether they fail or not; throws the error of the first that did. */
async function both(first: Promise<void>, second: Promise<void>): Promise<void> {
  for (const outcome of await Promise.allSettled([first, second])) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
}
