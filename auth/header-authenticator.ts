import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Authenticator, Principal, RequestHeaders } from "@sightline/model/ports.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";

/** Loki's and Mimir's header, and the one of clients that speak of projects. */
const TENANT_HEADERS = ["x-scope-orgid", "x-project-id"] as const;

/**
 * Trusts the tenant that a request names: for loopback, or behind a proxy that sets the header itself. A request that
 * names none belongs to the tenant `default`.
 */
export class HeaderAuthenticator implements Authenticator {
  authenticate(headers: RequestHeaders): Principal {
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
    return { tenant: named === undefined ? DEFAULT_TENANT : tenantId(named) };
  }
}
