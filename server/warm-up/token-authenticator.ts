import type { Authenticator, Principal, RequestHeaders } from "@sightline/model/access.ts";
import { UnauthenticatedError } from "@sightline/model/errors.ts";
import type { TenantId } from "@sightline/model/tenant.ts";

/** Lets whoever has the token read one tenant's data, and nobody else anything. */
export class TokenAuthenticator implements Authenticator {
  readonly #authorization: string;
  readonly #tenant: TenantId;

  constructor(token: string, tenant: TenantId) {
    this.#authorization = `Bearer ${token}`;
    this.#tenant = tenant;
  }

  authenticate(headers: RequestHeaders): Principal {
    if (headers.authorization !== this.#authorization)
      throw new UnauthenticatedError("this address is for the server itself");
    return { tenant: this.#tenant };
  }
}
