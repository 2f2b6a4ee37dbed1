import type { ApiKey, Scope } from "@sightline/model/access.ts";
import { InvalidInputError } from "@sightline/model/errors.ts";
import { tenantId } from "@sightline/model/tenant.ts";
import { newToken, tokenHash } from "./api-key-token.ts";

/** The tenant of a key that may act for all of them. */
export const ANY_TENANT = tenantId("*");
export const SCOPES: readonly Scope[] = ["ingest", "read", "reveal", "write-rules", "admin"];

const MAX_NAME_CHARACTERS = 100;

export type KeyGrant = {
  readonly tenant: string;
  readonly scopes: readonly string[];
  readonly name: string;
  readonly expiresAtMs: number | undefined;
};

/** A new key and its token, which is told once and kept nowhere. Throws {@link InvalidInputError}. */
export function grantKey(grant: KeyGrant, nowMs: number): { readonly key: ApiKey; readonly token: string } {
  const scopes = SCOPES.filter((scope) => grant.scopes.includes(scope));
  const unknown = grant.scopes.find((scope) => !SCOPES.includes(scope as Scope));
  if (unknown !== undefined || scopes.length === 0) {
    throw new InvalidInputError(
      `${unknown === undefined ? "a key needs a scope" : `unknown scope ${JSON.stringify(unknown)}`}; there are: ${SCOPES.join(", ")}`,
    );
  }
  const tenant = tenantId(grant.tenant);
  if (tenant === ANY_TENANT && !scopes.includes("admin")) {
    throw new InvalidInputError("the tenant * stands for all tenants, and only a key with the scope admin may have it");
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they would reach somebody's terminal
  if (grant.name.length > MAX_NAME_CHARACTERS || /[\u0000-\u001f\u007f]/.test(grant.name)) {
    throw new InvalidInputError(`a key's name has at most ${MAX_NAME_CHARACTERS} characters and no control characters`);
  }
  const { id, token } = newToken();
  const { name, expiresAtMs } = grant;
  return { key: { id, name, tenant, scopes, hash: tokenHash(token), createdAtMs: nowMs, expiresAtMs }, token };
}
