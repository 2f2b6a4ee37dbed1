import { mkdir, rename } from "node:fs/promises";
import { UnavailableError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import { Gauge, type Registry } from "prom-client";
import type { DeadLettersConfig } from "../config.ts";
import type { LoggedRequest } from "../wal/record.ts";
import { DISK_FILES, syncDirectory } from "../wal/wal-files.ts";
import {
  type DeadLetterReason,
  encodeLetter,
  letterFileBytes,
  letterId,
  letterIds,
  letterPath,
} from "./dead-letter-file.ts";

export type DeadLettersOptions = {
  readonly dir: string;
  readonly config: DeadLettersConfig;
  readonly logger: Logger;
  readonly registry: Registry;
};

const RETRY_AFTER_MS = 30_000;

/** Requests that a store refused for good, one file each, until somebody replays or removes them. */
export class DeadLetters {
  readonly #dir: string;
  readonly #config: DeadLettersConfig;
  readonly #logger: Logger;

  constructor(options: DeadLettersOptions) {
    this.#dir = options.dir;
    this.#config = options.config;
    this.#logger = options.logger;
    const dir = this.#dir;
    new Gauge({
      name: "sightline_dead_letters",
      help: "Requests that are put aside: see `sightline dead-letters list`",
      registers: [options.registry],
      async collect() {
        this.set((await letterIds(dir)).length);
      },
    });
  }

  /** Durable once it settles. Throws `UnavailableError` when there is no room: the request has to stay in the log. */
  async add(request: LoggedRequest, position: number, reason: DeadLetterReason, error: unknown): Promise<void> {
    const failedAtMs = Date.now();
    const { tenant, protocol, encoding, receivedAtMs, body } = request;
    const message = error instanceof Error ? error.message : String(error);
    const letter = { reason, message, failedAtMs, position, tenant, protocol, encoding, receivedAtMs };
    const bytes = encodeLetter(letter, body);
    const id = letterId(failedAtMs, position);
    this.#logger.error("a request was put aside as a dead letter", { id, reason, tenant, protocol, error });
    try {
      await mkdir(this.#dir, { recursive: true, mode: 0o700 });
      await this.#assertRoom(bytes.length);
      await this.#write(letterPath(this.#dir, id), bytes);
    } catch (cause) {
      if (cause instanceof UnavailableError) throw cause;
      throw new UnavailableError(`could not write a dead letter to ${this.#dir}`, {
        cause,
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
  }

  /** Counted each time, because the command line may remove letters meanwhile; letters are rare. */
  async #assertRoom(bytes: number): Promise<void> {
    let total = bytes;
    for (const id of await letterIds(this.#dir)) total += await letterFileBytes(this.#dir, id).catch(() => 0);
    if (total <= this.#config.max_bytes) return;
    throw new UnavailableError(
      `dead letters take more than collector.dead_letters.max_bytes (${this.#config.max_bytes}): ` +
        "replay or remove them (sightline dead-letters), or raise it",
      { retryAfterMs: RETRY_AFTER_MS },
    );
  }

  async #write(path: string, bytes: Buffer): Promise<void> {
    const fd = await DISK_FILES.open(`${path}.new`, "w");
    try {
      for (let at = 0; at < bytes.length; ) at += await DISK_FILES.write(fd, [bytes.subarray(at)], at);
      await DISK_FILES.sync(fd);
    } finally {
      await DISK_FILES.close(fd);
    }
    await rename(`${path}.new`, path);
    await syncDirectory(DISK_FILES, this.#dir);
  }
}
