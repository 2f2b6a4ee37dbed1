import type { AppendResult, Store } from "@sightline/model/ports.ts";
import type { TenantId } from "@sightline/model/tenant.ts";

export type Taken<Batch> = { readonly position: number; readonly tenant: TenantId; readonly batch: Batch };

/** For tests of what happens before a store: remembers what it was given. */
export class RecordingStore<Batch extends { readonly length: number }> implements Store<Batch> {
  readonly name = "recording";
  readonly taken: Taken<Batch>[] = [];
  /** Positions in the order of the calls, refused ones included. */
  readonly calls: number[] = [];
  /** May give (a promise of) an {@link AppendResult}; anything else means that the whole batch is accepted. */
  onAppend: (batch: Batch, position: number) => unknown = () => {};
  #durableThrough = 0;

  async start() {}
  async stop() {}

  async append(tenant: TenantId, batch: Batch, position: number): Promise<AppendResult> {
    this.calls.push(position);
    const result = await this.onAppend(batch, position);
    if (position > this.#durableThrough) this.taken.push({ position, tenant, batch });
    return (result as AppendResult | undefined) ?? { accepted: batch.length, rejected: [] };
  }

  firstUnflushedPosition() {
    return this.taken.find(({ position }) => position > this.#durableThrough)?.position;
  }

  async flush() {
    this.#durableThrough = Math.max(this.#durableThrough, ...this.taken.map(({ position }) => position));
  }

  /** As after a crash: what was not durable is gone. */
  crash() {
    const durable = this.taken.filter(({ position }) => position <= this.#durableThrough);
    this.taken.splice(0, this.taken.length, ...durable);
  }
}
