import type { Component } from "./ports.ts";
import type { TenantId } from "./tenant.ts";

/** On whose behalf a request is made. */
export type Principal = {
  readonly tenant: TenantId;
  /** Of the API key that was presented. */
  readonly keyId?: string | undefined;
  /** It may act for every tenant. */
  readonly isGlobal?: boolean | undefined;
};

/** What a caller may do; `reveal`: read personal data that was encrypted. `admin` includes the others. */
export type Scope = "ingest" | "read" | "reveal" | "write-rules" | "admin";
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;
export type CallContext = {
  /** Address of the client, for counting its failures. */
  readonly peer?: string | undefined;
  /** Whose resource it is, when the resource says so and not the request. */
  readonly owner?: TenantId | undefined;
};
/**
 * The one place where it is decided who may do what. Throws `UnauthenticatedError`, `ForbiddenError`,
 * `TooManyRequestsError` or `InvalidInputError`. Header names are in lower case.
 */
export interface Authenticator {
  authenticate(headers: RequestHeaders, scope: Scope, context?: CallContext): Principal;
}

/** A key as it is kept: enough to recognise its token, not to make it. Times are Unix milliseconds. */
export type ApiKey = {
  /** Part of the token, and no secret. */
  readonly id: string;
  readonly name: string;
  /** `*`: every tenant, as the request names it; only together with the scope `admin`. */
  readonly tenant: TenantId;
  readonly scopes: readonly Scope[];
  /** SHA-256 of the token. */
  readonly hash: Uint8Array;
  readonly createdAtMs: number;
  readonly expiresAtMs?: number | undefined;
  readonly revokedAtMs?: number | undefined;
  readonly lastUsedAtMs?: number | undefined;
};
/** Where keys are kept. Several processes may use it at once. Throws `UnavailableError` when another one is in the way. */
export interface KeyCatalog extends Component {
  /** Revoked and expired ones too, oldest first. */
  keys(): Promise<readonly ApiKey[]>;
  /** Differs from what it was when another process has changed something. Cheap. */
  revision(): Promise<number>;
  addKey(key: ApiKey): Promise<void>;
  /** False when there is no such key, or it was revoked before. */
  revokeKey(id: string, atMs: number): Promise<boolean>;
  /** By id. Times older than the one kept are ignored, and so are unknown ids. */
  markKeysUsed(timesMs: ReadonlyMap<string, number>): Promise<void>;
}
