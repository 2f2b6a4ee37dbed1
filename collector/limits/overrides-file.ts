import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import { Counter, Gauge, type Registry } from "prom-client";
import { type Overrides, parseOverrides } from "./parse-overrides.ts";
import { readOverrides } from "./read-overrides.ts";
import type { TenantConfig } from "./tenant-config.ts";

const MAX_BYTES = 16 * 1024 * 1024;
/** Who writes the file in place empties it first: a changed text is used once it has stood for so long. */
const SETTLE_MS = 50;

export type OverridesFileOptions = {
  readonly path: string;
  readonly intervalMs: number;
  /** What every tenant has; an override is laid over it key by key, lists as a whole. */
  readonly defaults: TenantConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  /** May throw when they can't be used. */
  readonly onChange: (overrides: Overrides) => void;
};

/**
 * Reads the file at the start, when a mistake in it is an error, and again whenever its text has changed; then a mistake
 * is logged and counted, and what was valid before stays.
 */
export class OverridesFile {
  readonly #options: OverridesFileOptions;
  readonly #reloads: Counter<"outcome">;
  readonly #valid: Gauge;
  #text: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> | undefined;

  constructor(options: OverridesFileOptions) {
    this.#options = options;
    const registers = [options.registry];
    this.#reloads = new Counter({
      name: "sightline_overrides_reloads_total",
      help: "Times a changed collector.overrides_file was read, by outcome: ok or failed",
      labelNames: ["outcome"],
      registers,
    });
    this.#valid = new Gauge({
      name: "sightline_overrides_valid",
      help: "1 when collector.overrides_file as it is now is in use, 0 when an older state of it is",
      registers,
    });
  }

  /** Throws `InvalidInputError` that names every wrong key. */
  async start(): Promise<void> {
    const text = await this.#read();
    // Nobody is served yet, so it may be read here, however large it is.
    this.#use(text, parseOverrides(text, this.#options.defaults, this.#options.path));
    this.#timer = setInterval(() => this.#check(), this.#options.intervalMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reading;
  }

  #check(): void {
    this.#reading ??= this.#reload().finally(() => {
      this.#reading = undefined;
    });
  }

  async #reload(): Promise<void> {
    const before = this.#text;
    try {
      const text = await this.#read();
      if (text === before) return;
      await sleep(SETTLE_MS);
      if ((await this.#read()) !== text) return;
      // Whatever is wrong with it now, it is told once.
      this.#text = text;
      this.#use(text, await readOverrides(text, this.#options.defaults, this.#options.path));
      this.#reloads.inc({ outcome: "ok" });
      this.#options.logger.info("the limits and processors of tenants were reloaded", { file: this.#options.path });
    } catch (error) {
      this.#valid.set(0);
      // A file that can't be read is told once, as one that is wrong.
      const key = this.#text === before ? String(error) : this.#text;
      if (key === this.#failure) return;
      this.#failure = key;
      this.#reloads.inc({ outcome: "failed" });
      this.#options.logger.error("collector.overrides_file is wrong; what was valid before stays in use", {
        file: this.#options.path,
        error,
      });
    }
  }
  #failure: string | undefined;

  async #read(): Promise<string> {
    const { path } = this.#options;
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (cause) {
      throw new InvalidInputError(`collector.overrides_file: ${(cause as Error).message}`, { cause });
    }
    if (text.length > MAX_BYTES)
      throw new InvalidInputError(`collector.overrides_file: ${path} is above ${MAX_BYTES} bytes`);
    return text;
  }

  #use(text: string, overrides: Overrides): void {
    this.#text = text;
    this.#options.onChange(overrides);
    this.#valid.set(1);
    this.#failure = undefined;
  }
}
