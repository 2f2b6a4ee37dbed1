import { InvalidInputError } from "./errors.ts";

/** Whose data it is. Made only by {@link tenantId}, so that whatever holds one can use it as a path component. */
export type TenantId = string & { readonly __brand: "TenantId" };

const PATTERN = /^[A-Za-z0-9!_.*'()-]{1,150}$/;

/** The characters Loki and Mimir allow, without path tricks. Throws {@link InvalidInputError}. */
export function tenantId(text: string): TenantId {
  if (!PATTERN.test(text) || text === "." || text === "..") {
    throw new InvalidInputError(
      `invalid tenant ${JSON.stringify(text.slice(0, 40))}: use 1 to 150 letters, digits or !-_.*'() characters, and not "." or ".."`,
    );
  }
  return text as TenantId;
}

export const DEFAULT_TENANT = tenantId("default");
/** Where the process keeps its own telemetry. */
export const SYSTEM_TENANT = tenantId("system");
