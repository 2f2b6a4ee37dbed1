import type { LineFilter } from "@sightline/model/line-filter.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { LogRequest, LogSelection, LogStore, StreamRequest } from "@sightline/model/log-store.ts";
import { compileMatcher, compileMatchers } from "@sightline/model/matcher.ts";
import type { AppendResult } from "@sightline/model/ports.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import type { Deletion, RowDeletion } from "@sightline/model/row-deletion.ts";
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

  readonly #deleted = new Map<string, { readonly deletion: Deletion; readonly rows: readonly Required<LogRow>[] }>();

  async deleteRows(request: RowDeletion): Promise<Deletion> {
    const { tenant, range, description, line, attributes } = request;
    const lines = line.map(lineTest);
    const tests = attributes.map(({ name, ...matcher }) => {
      const test = compileMatcher({ name, ...matcher });
      return ({ attributes: own, resource }: Required<LogRow>) =>
        test((own.find((one) => one.name === name) ?? resource.find((one) => one.name === name))?.value ?? "");
    });
    const gone = new Set(
      this.#matching(request).filter(
        (row) => lines.every((test) => test(row.body)) && tests.every((test) => test(row)),
      ),
    );
    this.#rows.set(
      tenant,
      this.#rowsOf(tenant).filter((row) => !gone.has(row)),
    );
    const times = { createdAtMs: 0, removeAtMs: Number.POSITIVE_INFINITY };
    const id = String(this.#deleted.size + 1);
    const deletion: Deletion = { id, description, range, rows: gone.size, ...times, state: "hidden" };
    this.#deleted.set(id, { deletion, rows: [...gone] });
    return deletion;
  }

  async deletions(): Promise<readonly Deletion[]> {
    return [...this.#deleted.values()].map(({ deletion }) => deletion).reverse();
  }

  async cancelDeletion(tenant: TenantId, id: string): Promise<boolean> {
    const deleted = this.#deleted.get(id);
    if (!deleted) return false;
    this.#deleted.delete(id);
    this.#rows.set(tenant, [...this.#rowsOf(tenant), ...deleted.rows]);
    return true;
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
