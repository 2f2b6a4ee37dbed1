import { join } from "node:path";
import { type EncodedRecord, TERMINATOR } from "./record.ts";
import { formatSegmentName, type SegmentName } from "./segment-name.ts";
import type { WalFiles } from "./wal-files.ts";

/** The segment that is written to. After a failed {@link append} it may only be {@link abandon}ed. */
export class SegmentWriter {
  readonly name: SegmentName;
  readonly path: string;
  /** Length of the file before anything was written to it: what comes after `end` may be old bytes up to there. */
  readonly preallocatedBytes: number;
  readonly #files: WalFiles;
  readonly #fd: number;
  #end = 0;

  private constructor(files: WalFiles, fd: number, path: string, name: SegmentName, preallocatedBytes: number) {
    this.#files = files;
    this.#fd = fd;
    this.path = path;
    this.name = name;
    this.preallocatedBytes = preallocatedBytes;
  }

  /** Opens a file that exists already (`preallocatedBytes` long) or makes an empty one. */
  static async open(
    files: WalFiles,
    dir: string,
    name: SegmentName,
    preallocatedBytes: number,
  ): Promise<SegmentWriter> {
    const path = join(dir, formatSegmentName(name));
    const fd = await files.open(path, preallocatedBytes > 0 ? "r+" : "wx");
    return new SegmentWriter(files, fd, path, name, preallocatedBytes);
  }

  /** Everything before this offset is durable. */
  get end(): number {
    return this.#end;
  }

  /** One write and one sync for all of them; durable once this settles. */
  async append(records: readonly EncodedRecord[]): Promise<void> {
    const buffers: Uint8Array[] = [];
    let end = this.#end;
    for (const { header, body, bytes } of records) {
      buffers.push(header);
      if (body.length > 0) buffers.push(body);
      end += bytes;
    }
    if (end < this.preallocatedBytes) buffers.push(TERMINATOR.subarray(0, this.preallocatedBytes - end));
    await this.#writeAll(buffers, this.#end);
    await this.#files.sync(this.#fd);
    this.#end = end;
  }

  async #writeAll(buffers: readonly Uint8Array[], offset: number): Promise<void> {
    let rest = buffers;
    let at = offset;
    while (rest.length > 0) {
      const written = await this.#files.write(this.#fd, rest, at);
      if (written === 0) throw new Error(`${this.path}: nothing could be written at offset ${at}`);
      at += written;
      rest = withoutFirst(rest, written);
    }
  }

  /** No more will be written. */
  async close(): Promise<void> {
    await this.#files.close(this.#fd);
  }

  /**
   * After a failed append: cuts off what may have been written of it, so that a replay does not bring requests whose
   * senders were told to send them again. Throws when that is not possible; the file is closed either way.
   */
  async abandon(): Promise<void> {
    try {
      await this.#files.truncate(this.#fd, this.#end);
      await this.#files.sync(this.#fd);
    } finally {
      await this.#files.close(this.#fd);
    }
  }
}

function withoutFirst(buffers: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skip = bytes;
  for (let i = 0; i < buffers.length; i++) {
    const buffer = buffers[i] as Uint8Array;
    if (skip < buffer.length) return [buffer.subarray(skip), ...buffers.slice(i + 1)];
    skip -= buffer.length;
  }
  return [];
}
