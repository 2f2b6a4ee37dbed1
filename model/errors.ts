/**
 * The few errors a failed call may throw. Whatever else is thrown is a bug: it is answered as 500 and logged once.
 * Refused rows of an otherwise good request are not errors but values ({@link Rejection} in ports.ts).
 */
export class SightlineError extends Error {
  override readonly name: string = "SightlineError";
}

/** The request can't be understood or is not allowed to say that; sending it again will not help. */
export class InvalidInputError extends SightlineError {
  override readonly name = "InvalidInputError";
}

/** The request can be read, but there is nothing in it. */
export class EmptyRequestError extends SightlineError {
  override readonly name = "EmptyRequestError";
}

/** A text in a query language is not valid. `position` is a character offset, `end` exclusive. */
export class ParseError extends SightlineError {
  override readonly name = "ParseError";
  readonly position: number;
  readonly end: number;
  constructor(message: string, options: ErrorOptions & { position: number; end?: number }) {
    super(message, options);
    this.position = options.position;
    this.end = options.end ?? options.position;
  }
}

/** The request is larger than the server takes in one piece. The message names the setting. */
export class TooLargeError extends SightlineError {
  override readonly name = "TooLargeError";
}

/** The content type or encoding is not one the endpoint takes. The message lists those it takes. */
export class UnsupportedMediaTypeError extends SightlineError {
  override readonly name = "UnsupportedMediaTypeError";
}

/** No credential, or a wrong one. */
export class UnauthenticatedError extends SightlineError {
  override readonly name = "UnauthenticatedError";
}

/** The credential is good, but not for this. */
export class ForbiddenError extends SightlineError {
  override readonly name = "ForbiddenError";
}

/** A query would exceed a budget. The message names the limit and its setting. */
export class LimitError extends SightlineError {
  override readonly name = "LimitError";
}

/** A query took longer than its timeout. */
export class TimeoutError extends SightlineError {
  override readonly name = "TimeoutError";
}

/** The client went away or asked to stop. */
export class CancelledError extends SightlineError {
  override readonly name = "CancelledError";
}

/** What was asked for does not exist. */
export class NotFoundError extends SightlineError {
  override readonly name = "NotFoundError";
}

/** The sender is faster than it may be; the same request can succeed after `retryAfterMs`. */
export class TooManyRequestsError extends SightlineError {
  override readonly name = "TooManyRequestsError";
  readonly retryAfterMs: number;
  constructor(message: string, options: ErrorOptions & { retryAfterMs: number }) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** One tenant sends more than its rate allows, whatever the load of the server; the same can succeed after `retryAfterMs`. */
export class RateLimitedError extends SightlineError {
  override readonly name = "RateLimitedError";
  readonly retryAfterMs: number;
  constructor(message: string, options: ErrorOptions & { retryAfterMs: number }) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Something this call depends on is down or full; the same call can succeed after `retryAfterMs`. */
export class UnavailableError extends SightlineError {
  override readonly name = "UnavailableError";
  readonly retryAfterMs: number;
  /** Nothing is wrong: what stands in the way is being done, and will be over by itself. */
  readonly isBusy: boolean;
  constructor(message: string, options: ErrorOptions & { retryAfterMs: number; isBusy?: boolean }) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
    this.isBusy = options.isBusy ?? false;
  }
}

/** Kept data does not match its checksum or format. The message names the file. */
export class CorruptionError extends SightlineError {
  override readonly name = "CorruptionError";
}

/** gRPC codes by number, so that `model` needs no gRPC library (google.rpc.Code). */
const STATUS_BY_NAME: Readonly<Record<string, { http: number; grpc: number }>> = {
  InvalidInputError: { http: 400, grpc: 3 },
  ParseError: { http: 400, grpc: 3 },
  UnauthenticatedError: { http: 401, grpc: 16 },
  ForbiddenError: { http: 403, grpc: 7 },
  NotFoundError: { http: 404, grpc: 5 },
  TooLargeError: { http: 413, grpc: 8 },
  UnsupportedMediaTypeError: { http: 415, grpc: 3 },
  EmptyRequestError: { http: 422, grpc: 3 },
  LimitError: { http: 422, grpc: 8 },
  TooManyRequestsError: { http: 429, grpc: 8 },
  RateLimitedError: { http: 429, grpc: 8 },
  CancelledError: { http: 499, grpc: 1 },
  CorruptionError: { http: 500, grpc: 15 },
  UnavailableError: { http: 503, grpc: 14 },
  TimeoutError: { http: 503, grpc: 4 },
};

/** The one place where errors become HTTP and gRPC statuses. Unknown errors are bugs: 500 and INTERNAL (13). */
export function statusOf(error: unknown): {
  readonly http: number;
  readonly grpc: number;
  readonly retryAfterMs?: number;
} {
  const status = error instanceof SightlineError ? STATUS_BY_NAME[error.name] : undefined;
  if (!status) return { http: 500, grpc: 13 };
  return error instanceof UnavailableError || error instanceof TooManyRequestsError || error instanceof RateLimitedError
    ? { ...status, retryAfterMs: error.retryAfterMs }
    : status;
}
