import { InvalidInputError } from "@sightline/model/errors.ts";
import { parseDurationMs } from "@sightline/model/units.ts";
import { readSecret } from "@sightline/settings/setting-file.ts";

/** What was given to a command, by the name of the flag. */
export type Options = Readonly<Record<string, string | boolean | undefined>>;
/** What a command is called with: validated options and the words after the command's name. */
export type Invocation = { readonly options: Options; readonly words: readonly string[] };

type Texts = Readonly<Record<string, string | undefined>>;

/** Of the running server that a command talks to. */
export function urlOf(options: Options): string {
  return (options as Texts).url ?? "http://127.0.0.1:4319";
}

/** The tenant and the key of requests to it. Throws `InvalidInputError` when the file with the key can't be read. */
export function headersOf(options: Options): Record<string, string> {
  const { tenant } = options as Texts;
  return { ...(tenant !== undefined && { "x-scope-orgid": tenant }), ...keyHeaders(options) };
}

/** The key alone: from a file, because the arguments of a process can be seen by everybody on the machine. */
export function keyHeaders(options: Options): Record<string, string> {
  const { "key-file": path } = options as Texts;
  return path === undefined ? {} : { authorization: `Bearer ${readSecret(path, `--key-file ${path}`)}` };
}

/** `now`, a duration for so long ago, seconds since the epoch, or a date, with a time or without. Throws `InvalidInputError`. */
export function timeMsOf(flag: string, text: string, nowMs: number): number {
  if (text === "now") return nowMs;
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1_000);
  if (/^(\d+(ms|[smhdwy]))+$/.test(text)) return nowMs - parseDurationMs(text);
  const timeMs = Date.parse(text);
  if (/^\d{4}-\d\d-\d\d(T|$)/.test(text) && !Number.isNaN(timeMs)) return timeMs;
  const forms = "write now, 1h (that long ago), 1700000000 or 2026-01-02T15:04:05Z";
  throw new InvalidInputError(`--${flag} ${JSON.stringify(text)} is not a time; ${forms}`);
}
