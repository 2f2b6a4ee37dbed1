import { timingSafeEqual } from "node:crypto";
import type { ApiKey, Authenticator, CallContext, Principal, RequestHeaders, Scope } from "@sightline/model/access.ts";
import { ForbiddenError, TooManyRequestsError, UnauthenticatedError } from "@sightline/model/errors.ts";
import { DEFAULT_TENANT, type TenantId } from "@sightline/model/tenant.ts";
import { Counter, type Registry } from "prom-client";
import { tokenHash, tokenId } from "./api-key-token.ts";
import type { AuthConfig } from "./config.ts";
import { FailureThrottle } from "./failure-throttle.ts";
import { ANY_TENANT } from "./key-grant.ts";
import type { KeyRing } from "./key-ring.ts";
import { presentedToken } from "./presented-token.ts";
import { requestedTenant } from "./requested-tenant.ts";

export type KeyAuthenticatorOptions = {
  readonly ring: Pick<KeyRing, "find" | "noteUse">;
  readonly config: Pick<AuthConfig, "max_failures_per_minute">;
  readonly registry: Registry;
  readonly nowMs?: () => number;
};

type FailureReason = "missing" | "malformed" | "unknown" | "revoked" | "expired" | "scope" | "tenant";

/** Lets in whoever presents a key that is good for the tenant and the scope. No message holds what was presented. */
export class KeyAuthenticator implements Authenticator {
  readonly #ring: KeyAuthenticatorOptions["ring"];
  readonly #throttle: FailureThrottle;
  readonly #nowMs: () => number;
  readonly #failures: Counter<"reason">;

  constructor({ ring, config, registry, nowMs = Date.now }: KeyAuthenticatorOptions) {
    this.#ring = ring;
    this.#throttle = new FailureThrottle(config.max_failures_per_minute);
    this.#nowMs = nowMs;
    this.#failures = new Counter({
      name: "sightline_auth_failures_total",
      help: "Requests that were turned away, by reason",
      labelNames: ["reason"],
      registers: [registry],
    });
  }

  authenticate(headers: RequestHeaders, scope: Scope, context: CallContext = {}): Principal {
    const key = this.#goodKey(headers, context.peer ?? "");
    if (!key.scopes.includes(scope) && !key.scopes.includes("admin")) {
      this.#failures.inc({ reason: "scope" });
      throw new ForbiddenError(`key ${key.id} has not the scope ${scope}; it has: ${key.scopes.join(", ")}`);
    }
    const tenant = this.#tenantFor(key, context.owner ?? requestedTenant(headers));
    this.#ring.noteUse(key.id, this.#nowMs());
    return { tenant, keyId: key.id, isGlobal: key.tenant === ANY_TENANT };
  }

  #goodKey(headers: RequestHeaders, peer: string): ApiKey {
    const presented = presentedToken(headers);
    if (presented.token === undefined) {
      const isMissing = headers.authorization === undefined && headers["x-api-key"] === undefined;
      throw this.#turnAway(isMissing ? "missing" : "malformed", presented.problem, peer);
    }
    const key = this.#ring.find(tokenId(presented.token) as string);
    if (key === undefined || !timingSafeEqual(tokenHash(presented.token), key.hash)) {
      throw this.#turnAway("unknown", "the API key is not known here", peer);
    }
    if (key.revokedAtMs !== undefined) throw this.#turnAway("revoked", `API key ${key.id} has been revoked`, peer);
    if (key.expiresAtMs !== undefined && key.expiresAtMs <= this.#nowMs()) {
      const when = new Date(key.expiresAtMs).toISOString();
      throw this.#turnAway("expired", `API key ${key.id} has expired on ${when}; create a new one`, peer);
    }
    return key;
  }

  #tenantFor(key: ApiKey, asked: TenantId | undefined): TenantId {
    if (key.tenant === ANY_TENANT) {
      // A key for all tenants is not one of a tenant called so.
      if (asked !== ANY_TENANT) return asked ?? DEFAULT_TENANT;
    } else if (asked === undefined || asked === key.tenant) return key.tenant;
    this.#failures.inc({ reason: "tenant" });
    throw new ForbiddenError(
      key.tenant === ANY_TENANT
        ? "name one tenant, not *"
        : `key ${key.id} is bound to another tenant than ${asked}: leave out X-Scope-OrgID and X-Project-ID, or use a key of that tenant`,
    );
  }

  #turnAway(reason: FailureReason, message: string, peer: string): Error {
    this.#failures.inc({ reason });
    const retryAfterMs = this.#throttle.failed(peer, this.#nowMs());
    return retryAfterMs === 0
      ? new UnauthenticatedError(message)
      : new TooManyRequestsError(
          `${message}; there have been more than auth.max_failures_per_minute wrong credentials from this address`,
          { retryAfterMs },
        );
  }
}
