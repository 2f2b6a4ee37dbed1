import type { Authenticator, CallContext, Principal, RequestHeaders, Scope } from "@sightline/model/access.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { requestedTenant } from "./requested-tenant.ts";

/**
 * Trusts the tenant that a request names: for loopback, or behind a proxy that sets the header itself. A request that
 * names none belongs to the tenant `default`. Everybody may do everything.
 */
export class HeaderAuthenticator implements Authenticator {
  authenticate(headers: RequestHeaders, _scope: Scope, context: CallContext = {}): Principal {
    return { tenant: context.owner ?? requestedTenant(headers) ?? DEFAULT_TENANT, isGlobal: true };
  }
}
