import type { RequestHeaders } from "@sightline/model/access.ts";
import { tokenId } from "./api-key-token.ts";

/** A credential that is none of our tokens, or none at all, and what is wrong with it: fit to be told. */
export type NoToken = { readonly token?: undefined; readonly problem: string };

const MAX_CREDENTIAL_CHARACTERS = 1_024;

/**
 * The API key of a request: `Authorization: Bearer KEY`, `Authorization: Basic` with the key as password (and any user,
 * as Prometheus, Grafana and promtail send it), or `X-API-Key: KEY`. The first that looks like one counts, so a proxy
 * may use `Authorization` for itself.
 */
export function presentedToken(headers: RequestHeaders): { readonly token: string } | NoToken {
  let seen = false;
  for (const value of [...valuesOf(headers.authorization).map(fromAuthorization), ...valuesOf(headers["x-api-key"])]) {
    seen = true;
    const token = value?.trim();
    if (token !== undefined && tokenId(token) !== undefined) return { token };
  }
  return {
    problem: seen
      ? "the credential is not an API key of Sightline (they begin with sl_)"
      : "an API key is needed: send it as Authorization: Bearer KEY, as X-API-Key, or as the password of basic auth",
  };
}

function valuesOf(header: string | readonly string[] | undefined): readonly string[] {
  return header === undefined ? [] : typeof header === "string" ? [header] : header;
}

function fromAuthorization(value: string): string | undefined {
  if (value.length > MAX_CREDENTIAL_CHARACTERS) return undefined;
  const [, scheme = "", credential = ""] = /^\s*(\S+)\s+(.*)$/.exec(value) ?? [];
  switch (scheme.toLowerCase()) {
    case "bearer":
      return credential;
    case "basic": {
      const userAndPassword = Buffer.from(credential, "base64").toString();
      return userAndPassword.slice(userAndPassword.indexOf(":") + 1);
    }
    default:
      return undefined;
  }
}
