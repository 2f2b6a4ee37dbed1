import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import { compileMatchers } from "@sightline/model/matcher.ts";
import type {
  AppendResult,
  LineFilter,
  LogRequest,
  LogSelection,
  LogStore,
  StreamRequest,
} from "@sightline/model/ports.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { type LogRow, logBatchOf, logRowsOf } from "./log-batch-of.ts";

/** A log store that is slow and obviously right; it keeps everything in memory. */
export class ReferenceLogStore implements LogStore {
  readonly name = "reference log store";
  readonly #rows = new Map<TenantId, Required<LogRow>[]>();

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  async flush(): Promise<void> {}

  firstUnflushedPosition(): number | undefined {
    return undefined;
  }

  async append(tenant: TenantId, batch: LogBatch): Promise<AppendResult> {
    this.#rows.set(tenant, [...this.#rowsOf(tenant), ...logRowsOf(batch)]);
    return { accepted: batch.length, rejected: [] };
  }

  select(request: LogRequest, signal: AbortSignal): LogSelection {
    const matchesLine = request.line.map(lineTest);
    const rows = this.#matching(request)
      .filter(({ body }) => matchesLine.every((test) => test(body)))
      .sort((a, b) => Number(request.newestFirst ? b.timeNs - a.timeNs : a.timeNs - b.timeNs))
      .slice(0, request.limit);
    async function* batches(): AsyncGenerator<LogBatch> {
      signal.throwIfAborted();
      if (rows.length > 0) yield logBatchOf(rows);
    }
    return { exact: true, batches: batches() };
  }

  async streams(request: StreamRequest): Promise<readonly LogStream[]> {
    return logBatchOf(this.#matching(request)).streams;
  }

  #rowsOf(tenant: TenantId): readonly Required<LogRow>[] {
    return this.#rows.get(tenant) ?? [];
  }

  #matching({ tenant, range, matchers }: StreamRequest): Required<LogRow>[] {
    const matches = compileMatchers(matchers);
    return this.#rowsOf(tenant).filter(({ timeNs, labels }) => {
      return timeNs >= range.startNs && timeNs < range.endNs && matches(Object.entries(labels));
    });
  }
}

function lineTest({ op, text }: LineFilter): (body: string) => boolean {
  if (op === "|=") return (body) => body.includes(text);
  if (op === "!=") return (body) => !body.includes(text);
  const regex = compileRegex(text);
  return (body) => regex.matchesSomewhere(body) === (op === "|~");
}
