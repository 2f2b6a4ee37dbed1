import type { Operation } from "@sightline/model/trace-store.ts";

/**
 * Names with an id or a URL in them would make the table as large as the data; a person choosing from a list does not
 * look at so many either.
 */
const MAX_OPERATIONS_PER_SERVICE = 5_000;

/** Which span names and kinds each service has. */
export class OperationTable {
  readonly #byService = new Map<string, Map<string, Operation>>();

  add(service: string, name: string, kind: number): void {
    let operations = this.#byService.get(service);
    if (!operations) {
      operations = new Map();
      this.#byService.set(service, operations);
    }
    const key = `${kind} ${name}`;
    if (operations.has(key) || operations.size >= MAX_OPERATIONS_PER_SERVICE) return;
    operations.set(key, { name, kind });
  }

  addAll(other: OperationTable): void {
    for (const [service, operations] of other.entries()) {
      for (const { name, kind } of operations) this.add(service, name, kind);
    }
  }

  get services(): readonly string[] {
    return [...this.#byService.keys()];
  }

  operationsOf(service: string): readonly Operation[] {
    return [...(this.#byService.get(service)?.values() ?? [])];
  }

  *entries(): Generator<[service: string, operations: readonly Operation[]]> {
    for (const [service, operations] of this.#byService) yield [service, [...operations.values()]];
  }
}
