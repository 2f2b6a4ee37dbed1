import { SightlineError, TimeoutError, UnavailableError } from "@sightline/model/errors.ts";

const RETRY_AFTER_MS = 1_000;
/** SQLSTATE classes and codes after which the same may succeed later (PostgreSQL, appendix A). */
const TEMPORARY_CLASSES = new Set(["08", "40", "53", "57", "58"]);
const TEMPORARY_CODES = new Map([
  ["55P03", "a lock was not to be had in time"],
  ["25006", "the server only reads: it is a replica, or became one"],
  ["28000", "the server refuses the user"],
  ["28P01", "the server refuses the password"],
  ["3D000", "the database is not there"],
]);
const QUERY_CANCELED = "57014";
const NETWORK_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOENT",
]);
/** What pg says without a code. */
const NETWORK_MESSAGE =
  /Connection terminated|connection timeout|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable|Client was closed|Query read timeout|Cannot use a pool after calling end/i;

/**
 * What pg threw, as one of the errors of the model: `UnavailableError` when the same can succeed later, `TimeoutError` for a
 * read that was cancelled for its length; anything else as it is. `what` says what was being done.
 */
export function asDatabaseError(error: unknown, what: string, options: { readonly isRead: boolean }): unknown {
  if (error instanceof SightlineError || !(error instanceof Error)) return error;
  const code = codeOf(error);
  const text = `PostgreSQL: ${what}: ${TEMPORARY_CODES.get(code) ?? error.message}`;
  if (code === QUERY_CANCELED && options.isRead) {
    return new TimeoutError(`${text} (read_timeout of the database's settings)`, { cause: error });
  }
  const isTemporary =
    TEMPORARY_CODES.has(code) ||
    (code.length === 5 && TEMPORARY_CLASSES.has(code.slice(0, 2))) ||
    isNetwork(error, code);
  return isTemporary ? new UnavailableError(text, { cause: error, retryAfterMs: RETRY_AFTER_MS }) : error;
}

/** What a server says that shuts down or starts (SQLSTATE class 57, codes P01 to P03), and class 08. */
const AWAY_CODE = /^(57P0[123]|08...)$/;
const BROKEN_OFF_CODES = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ENOENT"]);
/** Without the wait for a place in the pool: its connections are busy, not gone. */
const BROKEN_OFF_MESSAGE = /Connection terminated|Client has encountered a connection error|not queryable/i;

/** True for an error of {@link asDatabaseError} that means: the server is not there, as while it restarts. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof UnavailableError)) return false;
  const { cause } = error;
  // Somebody may have said more about it.
  if (cause instanceof UnavailableError) return isAway(cause);
  if (cause instanceof AggregateError) return cause.errors.some((one) => BROKEN_OFF_CODES.has(codeOf(one)));
  if (!(cause instanceof Error)) return false;
  const code = codeOf(cause);
  return AWAY_CODE.test(code) || BROKEN_OFF_CODES.has(code) || BROKEN_OFF_MESSAGE.test(cause.message);
}

/** The SQLSTATE or the system's error code, "" when there is none. */
export function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "";
}

function isNetwork(error: Error, code: string): boolean {
  if (NETWORK_CODES.has(code) || NETWORK_MESSAGE.test(error.message)) return true;
  return error instanceof AggregateError && error.errors.some((one) => NETWORK_CODES.has(codeOf(one)));
}
