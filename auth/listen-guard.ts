import { isIP } from "node:net";
import { InvalidInputError } from "@sightline/model/errors.ts";
import type { AuthConfig } from "./config.ts";

/** `127.0.0.0/8`, `::1` and `localhost`: addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "");
  if (bare === "localhost" || bare === "::1") return true;
  return isIP(bare) === 4 && bare.startsWith("127.");
}

/**
 * Nobody should reach an open server by accident: without authentication only loopback may be listened on.
 * Throws {@link InvalidInputError} naming the key that listens and the settings that allow it.
 */
export function assertListenIsSafe(
  key: string,
  host: string,
  config: Pick<AuthConfig, "mode" | "allow_unauthenticated">,
): void {
  if (config.mode !== "none" || config.allow_unauthenticated || isLoopback(host)) return;
  throw new InvalidInputError(
    `${key}: listening on ${host} would let anyone on the network write and read without authentication; ` +
      "set auth.mode: keys, or listen on 127.0.0.1 behind a proxy that authenticates, or set auth.allow_unauthenticated: true",
  );
}
