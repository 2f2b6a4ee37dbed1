import type { LogPatternStore } from "@sightline/model/log-pattern-store.ts";
import type { DeletesRows, Deletion, RowDeletion } from "@sightline/model/row-deletion.ts";
import type { TenantId } from "@sightline/model/tenant.ts";

/** Deletes log records, and forgets the patterns of their streams: words of a deleted line may be in them. */
export class ForgettingDeletions implements DeletesRows {
  readonly #store: DeletesRows;
  readonly #patterns: Pick<LogPatternStore, "forget">;

  constructor(store: DeletesRows, patterns: Pick<LogPatternStore, "forget">) {
    this.#store = store;
    this.#patterns = patterns;
  }

  async deleteRows(request: RowDeletion, signal: AbortSignal): Promise<Deletion> {
    const deletion = await this.#store.deleteRows(request, signal);
    if (deletion.rows > 0) await this.#patterns.forget(request);
    return deletion;
  }

  deletions(tenant: TenantId): Promise<readonly Deletion[]> {
    return this.#store.deletions(tenant);
  }

  cancelDeletion(tenant: TenantId, id: string): Promise<boolean> {
    return this.#store.cancelDeletion(tenant, id);
  }
}
