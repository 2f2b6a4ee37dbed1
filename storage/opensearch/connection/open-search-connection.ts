import { setTimeout as sleep } from "node:timers/promises";
import { Client, errors } from "@opensearch-project/opensearch";
import { UnavailableError } from "@sightline/model/errors.ts";
import { readSecret, readSettingFile } from "@sightline/settings/setting-file.ts";
import { Counter, Histogram, type Registry } from "prom-client";
import type { OpenSearchConfig } from "../config.ts";
import { RestartWait } from "./restart-wait.ts";

export type OpenSearchRequest = {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>> | undefined;
  readonly body?: object | string | undefined;
  /** The body is newline-delimited JSON. */
  readonly isBulk?: boolean | undefined;
  /** Statuses whose answers are no errors. */
  readonly accept?: readonly number[] | undefined;
  readonly timeoutMs?: number | undefined;
  /** How often it is sent to another node when one does not answer; default: as the settings say. */
  readonly maxRetries?: number | undefined;
};
export type OpenSearchAnswer<T> = { readonly status: number; readonly body: T; readonly bytes: number | undefined };

/** OpenSearch understood the request and refused it: another try gets the same answer. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly status: number;
  constructor(message: string, status: number, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** No node answered, or the one that did is not ready. */
class AbsentNodeError extends UnavailableError {}
/** Not all of the rows could be looked at. */
class AbsentShardError extends UnavailableError {}

const SEARCH = /\/_search(\/point_in_time)?$/;
const SHARD_PATIENCE_MS = 3_000;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 500;
/** In OpenSearch's words. */
const ABSENT_SHARD = /no_shard_available|missing shards|all shards failed/;
const RETRY_AFTER_MS = 1_000;
/** Overloaded, or a node that is not there; 401 and 403 are mended by those who run the cluster (credentials, full disks). */
const PASSING = new Set([401, 403, 408, 429, 502, 503, 504]);
const NOT_READY = new Set([502, 503, 504]);

/**
 * Requests to the cluster, with whatever the client library does for it: pooled connections, the next node when one does
 * not answer. Errors of the library never leave this class, because they carry the headers and so the password.
 */
export class OpenSearchConnection {
  readonly #client: Client;
  readonly #timeoutMs: number;
  readonly #seconds: Histogram<"operation" | "result">;
  readonly #waits: Counter<"result">;
  readonly #restartWaitMs: number;
  readonly #absentNodes: RestartWait;
  readonly #absentShards: RestartWait;
  readonly #closing = new AbortController();

  /** Throws `InvalidInputError` when a file of the settings can't be read. */
  constructor(config: OpenSearchConfig, registry: Registry) {
    const { nodes, username, password_file, ca_file } = config;
    this.#timeoutMs = config.request_timeout;
    this.#client = new Client({
      nodes: [...nodes],
      maxRetries: config.max_retries,
      requestTimeout: config.request_timeout,
      // Attributes may have any name. What is parsed is only read by its own keys.
      disablePrototypePoisoningProtection: true,
      ...(username !== "" && {
        auth: { username, password: readSecret(password_file, "storage.opensearch.password_file") },
      }),
      ...(ca_file !== "" && { ssl: { ca: readSettingFile(ca_file, "storage.opensearch.ca_file") } }),
    });
    this.#seconds = requestSeconds(registry);
    this.#waits = waits(registry);
    this.#restartWaitMs = config.restart_wait;
    this.#absentNodes = new RestartWait(config.restart_wait);
    this.#absentShards = new RestartWait(config.restart_wait);
  }

  /**
   * Throws `UnavailableError` when the cluster can't be reached or is overloaded, {@link RefusedError} for any other answer
   * that is no success, and the reason of `signal` soon after it aborts. Searches wait for a cluster that restarts, or a shard that
   * is absent, up to `restart_wait`: an index that has just been made, or has lost a node, has them soon.
   */
  async send<T>(operation: string, request: OpenSearchRequest, signal?: AbortSignal): Promise<OpenSearchAnswer<T>> {
    if (request.method !== "POST" || !SEARCH.test(request.path)) return this.#send(operation, request, signal);
    let firstMissedMs: number | undefined;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(MAX_PAUSE_MS, 2 * pauseMs)) {
      try {
        const answer = await this.#send<T>(operation, request, signal);
        this.#absentShards.answered();
        if (firstMissedMs !== undefined) this.#waits.inc({ result: "answered" });
        return answer;
      } catch (error) {
        const nowMs = performance.now();
        firstMissedMs ??= nowMs;
        if (nowMs >= this.#waitsUntilMs(error, nowMs, firstMissedMs)) {
          if (nowMs > firstMissedMs) this.#waits.inc({ result: "failed" });
          throw error;
        }
      }
      // Not all at the same moment: the cluster has just come back.
      await this.#pause(pauseMs * (0.5 + Math.random() / 2), signal);
    }
  }

  /** Others may be answered in between, by another node: each one's wait is bounded, too. */
  #waitsUntilMs(error: unknown, nowMs: number, firstMissedMs: number): number {
    const own = firstMissedMs + this.#restartWaitMs;
    if (this.#closing.signal.aborted) return nowMs;
    if (error instanceof AbsentNodeError) return Math.min(own, this.#absentNodes.missed(nowMs));
    if (!(error instanceof AbsentShardError)) return nowMs;
    return Math.max(firstMissedMs + SHARD_PATIENCE_MS, Math.min(own, this.#absentShards.missed(nowMs)));
  }

  /** Throws the reason of `signal`. */
  async #pause(ms: number, signal?: AbortSignal): Promise<void> {
    const signals = signal ? [signal, this.#closing.signal] : [this.#closing.signal];
    await sleep(ms, undefined, { signal: AbortSignal.any(signals) }).catch(() => signal?.throwIfAborted());
  }

  async #send<T>(operation: string, request: OpenSearchRequest, signal?: AbortSignal): Promise<OpenSearchAnswer<T>> {
    signal?.throwIfAborted();
    const stopTimer = this.#seconds.startTimer({ operation });
    const { method, path, query, body, isBulk, accept, timeoutMs, maxRetries } = request;
    const under = this.#client.transport.request(
      { method, path, ...(query && { querystring: query }), ...(isBulk ? { bulkBody: body } : { body }) } as never,
      {
        requestTimeout: timeoutMs ?? this.#timeoutMs,
        ...(accept && { ignore: [...accept] }),
        ...(maxRetries !== undefined && { maxRetries }),
      },
    );
    // Without giving back what abort gives: Node takes a listener's promise for its own, and its rejection for a crash.
    const abort = () => {
      under.abort();
    };
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const { statusCode, body: answer, headers } = await under;
      this.#absentNodes.answered();
      stopTimer({ result: "ok" });
      const length = Number(headers?.["content-length"]);
      return { status: statusCode ?? 0, body: answer as T, bytes: Number.isFinite(length) ? length : undefined };
    } catch (error) {
      stopTimer({ result: "failed" });
      signal?.throwIfAborted();
      throw translated(operation, error);
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Searches that wait fail with what was wrong. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#client.close();
  }
}

/** The stores of logs and of traces share one registry. */
function requestSeconds(registry: Registry): Histogram<"operation" | "result"> {
  const name = "sightline_opensearch_request_seconds";
  const known = registry.getSingleMetric(name) as Histogram<"operation" | "result"> | undefined;
  return (
    known ??
    new Histogram({
      name,
      help: "How long requests to OpenSearch took, by what they were for and how they ended: ok or failed.",
      labelNames: ["operation", "result"],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 30],
      registers: [registry],
    })
  );
}

function waits(registry: Registry): Counter<"result"> {
  const name = "sightline_opensearch_waits_total";
  const known = registry.getSingleMetric(name) as Counter<"result"> | undefined;
  const help = "Searches that waited for a cluster that was away, and whether they were answered then or failed.";
  return known ?? new Counter({ name, help, labelNames: ["result"], registers: [registry] });
}

function translated(operation: string, error: unknown): Error {
  if (error instanceof errors.ResponseError) {
    const status = error.statusCode ?? 0;
    const message = `OpenSearch, ${operation}: ${status} ${reasonOf(error.body) ?? error.message}`;
    // Without the original: it has the request's headers.
    if (status === 503 && ABSENT_SHARD.test(message)) {
      return new AbsentShardError(message, { retryAfterMs: RETRY_AFTER_MS });
    }
    if (NOT_READY.has(status)) return new AbsentNodeError(message, { retryAfterMs: RETRY_AFTER_MS });
    return PASSING.has(status)
      ? new UnavailableError(message, { retryAfterMs: RETRY_AFTER_MS })
      : new RefusedError(message, status);
  }
  const text = error instanceof Error ? `${error.name} ${error.message}` : String(error);
  // What took too long once would do so again.
  const Kind = error instanceof errors.TimeoutError ? UnavailableError : AbsentNodeError;
  return new Kind(`OpenSearch, ${operation}: ${text}`, { retryAfterMs: RETRY_AFTER_MS });
}

const MAX_REASON_LENGTH = 500;
type ErrorBody = {
  readonly error?: { readonly type?: string; readonly reason?: string; readonly root_cause?: unknown };
};

function reasonOf(body: unknown): string | undefined {
  const error = (body as ErrorBody | undefined)?.error;
  const [root] = Array.isArray(error?.root_cause) ? (error.root_cause as { type?: string; reason?: string }[]) : [];
  const { type, reason } = root ?? error ?? {};
  return type === undefined ? undefined : `${type}: ${reason ?? ""}`.slice(0, MAX_REASON_LENGTH);
}
