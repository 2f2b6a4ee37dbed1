import { Writable } from "node:stream";
import type { LogFields, Logger } from "@sightline/model/logger.ts";
import { pino } from "pino";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LoggingOptions = {
  readonly level: LogLevel;
  /** Level per package, over `level`. */
  readonly levels: Readonly<Record<string, LogLevel>>;
  readonly format: "auto" | "json" | "text";
};

/** A line as pino writes it. */
export type LogLine = {
  readonly level: number;
  readonly time: number;
  readonly package: string;
  readonly msg: string;
} & LogFields;

/** Hands out a logger per package; all of them write to standard error and to whoever listens. */
export class Logging {
  readonly #root: pino.Logger;
  readonly #levels: Readonly<Record<string, LogLevel>>;
  readonly #listeners = new Set<(line: LogLine) => void>();

  constructor(options: LoggingOptions) {
    const text = options.format === "text" || (options.format === "auto" && process.stderr.isTTY === true);
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        const json = chunk.toString();
        process.stderr.write(text ? formatText(JSON.parse(json) as LogLine) : json);
        if (this.#listeners.size > 0) {
          const line = JSON.parse(json) as LogLine;
          for (const listener of this.#listeners) listener(line);
        }
        done();
      },
    });
    this.#levels = options.levels;
    this.#root = pino({ level: options.level, base: null, serializers: { error: serializeError } }, sink);
  }

  for(packageName: string): Logger {
    const level = this.#levels[packageName];
    const child = this.#root.child({ package: packageName }, level === undefined ? {} : { level });
    return {
      debug: (message, fields) => child.debug(fields ?? {}, message),
      info: (message, fields) => child.info(fields ?? {}, message),
      warn: (message, fields) => child.warn(fields ?? {}, message),
      error: (message, fields) => child.error(fields ?? {}, message),
    };
  }

  /** Calls `listener` for every line written from now on; the returned function ends that. */
  listen(listener: (line: LogLine) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** An error with its causes, without the noise of a nested structure per cause. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const causes: string[] = [];
  for (let cause = error.cause, depth = 0; cause !== undefined && depth < 8; depth++) {
    causes.push(cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return { type: error.name, message: error.message, stack: error.stack, ...(causes.length > 0 && { causes }) };
}

function formatText(line: LogLine): string {
  const { level, time, package: packageName, msg, ...fields } = line;
  const rest = Object.entries(fields)
    .map(([key, value]) => `${key}=${formatField(value)}`)
    .join(" ");
  return `${new Date(time).toISOString()} ${pino.levels.labels[level]?.padEnd(5)} ${packageName}: ${msg}${rest && ` ${rest}`}\n`;
}

function formatField(value: unknown): string {
  if (typeof value === "string") return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  if (value !== null && typeof value === "object" && "message" in value) return JSON.stringify(value.message);
  return JSON.stringify(value);
}
