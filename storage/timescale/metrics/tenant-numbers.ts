import type { TenantId } from "@sightline/model/tenant.ts";
import type { Database } from "../database/database.ts";

/** The number that stands for a tenant in every row. Remembers those it has looked up. */
export class TenantNumbers {
  readonly #database: Database;
  readonly #numbers = new Map<TenantId, number>();
  readonly #deletions = new Map<number, number>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Makes one for a tenant that has none yet. */
  async numberOf(tenant: TenantId): Promise<number> {
    const known = await this.find(tenant);
    if (known !== undefined) return known;
    await this.#database.write("adding a tenant", (client) =>
      client.query("INSERT INTO tenants (name) VALUES ($1) ON CONFLICT DO NOTHING", [tenant]),
    );
    return (await this.find(tenant)) as number;
  }

  /** Undefined when nothing was ever written for it. */
  async find(tenant: TenantId): Promise<number | undefined> {
    const known = this.#numbers.get(tenant);
    if (known !== undefined) return known;
    const number = await this.#database.lookUp("looking up a tenant", async (client) => {
      const { rows } = await client.query("SELECT id FROM tenants WHERE name = $1", [tenant]);
      return rows[0]?.id as number | undefined;
    });
    if (number !== undefined) this.#numbers.set(tenant, number);
    return number;
  }

  /** True when samples were deleted since the last call, and this was not the first one. */
  sawDeletions(number: number, deletions: number): boolean {
    const before = this.#deletions.get(number) ?? deletions;
    this.#deletions.set(number, deletions);
    return before !== deletions;
  }
}
