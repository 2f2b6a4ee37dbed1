/** Structured log. `fields` must hold no secret; an `error` field is written with its causes. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
export type LogFields = Readonly<Record<string, unknown>>;

/** For tests and tools that have nobody to tell. */
export const SILENT_LOGGER: Logger = { debug() {}, info() {}, warn() {}, error() {} };
