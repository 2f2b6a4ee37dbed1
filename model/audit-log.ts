import type { TenantId } from "./tenant.ts";

/** Something that somebody did to a tenant's data. Details are JSON; they must not hold the data themselves. */
export type AuditEntry = {
  readonly atMs: number;
  readonly tenant: TenantId;
  /** The API key and the address that asked; "" when there was none. */
  readonly keyId: string;
  readonly client: string;
  readonly action: string;
  readonly details: Readonly<Record<string, unknown>>;
};
/** Entries are added and never changed. */
export interface AuditLog {
  /** Durable once it settles. */
  addEntry(entry: AuditEntry): Promise<void>;
  /** Of a tenant, newest first. */
  entries(tenant: TenantId, limit: number): Promise<readonly AuditEntry[]>;
}
