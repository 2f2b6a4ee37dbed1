import type { RequestHeaders } from "@sightline/model/access.ts";
import { InvalidInputError } from "@sightline/model/errors.ts";
import { type TenantId, tenantId } from "@sightline/model/tenant.ts";

/** Loki's and Mimir's header, and the one of clients that speak of projects. */
const TENANT_HEADERS = ["x-scope-orgid", "x-project-id"] as const;

/** The tenant that the headers name, undefined when they name none. Throws {@link InvalidInputError}. */
export function requestedTenant(headers: RequestHeaders): TenantId | undefined {
  let named: string | undefined;
  for (const header of TENANT_HEADERS) {
    const value = headers[header];
    const text = typeof value === "string" ? value : value?.[0];
    if (text === undefined || text === "") continue;
    if (named !== undefined && named !== text) {
      throw new InvalidInputError(`${TENANT_HEADERS.join(" and ")} name different tenants; send one of them`);
    }
    named = text;
  }
  return named === undefined ? undefined : tenantId(named);
}
