import type { Principal } from "@sightline/model/access.ts";
import type { TenantId } from "@sightline/model/tenant.ts";

/** Of something that tenants keep in the catalog: what it was from a time on. */
export type StoredVersion = {
  readonly version: number;
  /** "" when it was taken away. */
  readonly text: string;
  readonly changedAtMs: number;
  readonly changedBy: string;
};

/** Who changes something now: the key, where there is one, and the address. */
export function changeBy(
  { tenant, keyId }: Principal,
  { ip }: { readonly ip: string },
): { readonly tenant: TenantId } & Pick<StoredVersion, "changedAtMs" | "changedBy"> {
  return { tenant, changedAtMs: Date.now(), changedBy: keyId === undefined ? ip : `${keyId} at ${ip}` };
}

/** What it was, when, and by whom, in the order given: the body of an answer. */
export function versionsAnswer(versions: readonly StoredVersion[]) {
  const data = versions.map(({ version, text, changedAtMs, changedBy }) => ({
    version,
    changedAt: new Date(changedAtMs).toISOString(),
    changedBy,
    removed: text === "",
    text,
  }));
  return { status: "success", data };
}
