import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, rename, stat, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { UnavailableError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { Journal } from "./journal.ts";

/** It is written anew when it is more than this and twice what it was when it was new. */
const MIN_REWRITE_BYTES = 1_048_576;
const RECORDS_PER_TURN = 500;
const CHECKSUM_LENGTH = 8;
const RETRY_AFTER_MS = 1_000;

export type FileJournalOptions<T> = {
  readonly path: string;
  readonly logger: Logger;
  /** Called for every record of the file at the start, oldest first. */
  readonly replay: (record: T) => void;
  /** All that has to be kept, as records; called when the file is written anew. */
  readonly snapshot: () => readonly T[];
};

/**
 * A file with one line per record: a checksum and JSON. Records that come while others are being written go together, with one
 * fsync for all (group commit). A file rather than a table of the catalog: a write there blocks the event loop for its fsync
 * (`node:sqlite` is synchronous), one per notification, and in a cluster the catalog is a database that may be down just when
 * people have to be told so.
 */
export class FileJournal<T> implements Journal<T> {
  readonly #options: FileJournalOptions<T>;
  #file: FileHandle | undefined;
  #pending: { readonly lines: string; readonly done: (error?: unknown) => void }[] = [];
  #writing: Promise<void> | undefined;
  #bytes = 0;
  #bytesWhenNew = 0;

  constructor(options: FileJournalOptions<T>) {
    this.#options = options;
  }

  /** Replays what is there. What a crash has cut off at the end was never acknowledged, and goes. */
  async start(): Promise<void> {
    const { path } = this.#options;
    await mkdir(dirname(path), { recursive: true });
    const kept = await this.#replay();
    if (kept !== undefined) await truncate(path, kept);
    this.#file = await open(path, "a");
    await syncDirectory(dirname(path));
    this.#bytes = kept ?? 0;
  }

  append(...records: readonly T[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const done = (error?: unknown) => (error === undefined ? resolve() : reject(error));
      this.#pending.push({ lines: records.map(lineOf).join(""), done });
      this.#writing ??= this.#write();
    });
  }

  /** What was appended before is durable then. */
  async stop(): Promise<void> {
    while (this.#writing) await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      try {
        if (!this.#file) throw new Error("it is not open");
        const data = Buffer.from(batch.map(({ lines }) => lines).join(""));
        await this.#file.appendFile(data);
        await this.#file.datasync();
        this.#bytes += data.length;
        for (const { done } of batch) done();
      } catch (cause) {
        await this.#cutBack();
        const error = new UnavailableError(`write ${this.#options.path}: ${(cause as Error).message}`, {
          cause,
          retryAfterMs: RETRY_AFTER_MS,
        });
        for (const { done } of batch) done(error);
      }
      if (this.#bytes > Math.max(MIN_REWRITE_BYTES, 2 * this.#bytesWhenNew)) await this.#rewrite();
    }
    this.#writing = undefined;
  }

  /** After half of a line, the next one would be lost, too. */
  async #cutBack(): Promise<void> {
    try {
      await this.#file?.truncate(this.#bytes);
    } catch (error) {
      this.#options.logger.error("a journal could not be cut back", { path: this.#options.path, error });
    }
  }

  async #rewrite(): Promise<void> {
    const { path, logger } = this.#options;
    const next = `${path}.new`;
    try {
      const file = await open(next, "w");
      let bytes = 0;
      const records = this.#options.snapshot();
      for (let i = 0; i < records.length; i += RECORDS_PER_TURN) {
        const data = Buffer.from(
          records
            .slice(i, i + RECORDS_PER_TURN)
            .map(lineOf)
            .join(""),
        );
        await file.appendFile(data);
        bytes += data.length;
        await nextTurn();
      }
      await file.datasync();
      await rename(next, path);
      await syncDirectory(dirname(path));
      await this.#file?.close();
      this.#file = file;
      this.#bytes = bytes;
    } catch (error) {
      logger.error("a journal could not be written anew", { path, error });
    }
    // Also after a failure: not again with every record.
    this.#bytesWhenNew = this.#bytes;
  }

  /** Gives how much of the file is whole; undefined when there is none. */
  async #replay(): Promise<number | undefined> {
    const { path, logger } = this.#options;
    if (!(await stat(path).catch(() => undefined))) return undefined;
    let whole = 0;
    let damaged = 0;
    let rest = Buffer.alloc(0);
    for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576 })) {
      const data = Buffer.concat([rest, chunk as Buffer]);
      let start = 0;
      for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10, start)) {
        const record = recordOf<T>(data.subarray(start, end));
        if (record === undefined) damaged++;
        else this.#options.replay(record);
        start = end + 1;
      }
      whole += start;
      rest = data.subarray(start);
    }
    if (damaged > 0) logger.error("records of a journal are damaged, and left out", { path, damaged });
    return whole;
  }
}

function lineOf(record: unknown): string {
  const json = JSON.stringify(record);
  return `${checksum(json)} ${json}\n`;
}

function recordOf<T>(line: Buffer): T | undefined {
  const json = line.toString("utf8", CHECKSUM_LENGTH + 1);
  if (line.toString("latin1", 0, CHECKSUM_LENGTH) !== checksum(json)) return undefined;
  return JSON.parse(json) as T;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(CHECKSUM_LENGTH, "0");
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
