import { hash, randomBytes } from "node:crypto";

/** `sl_`, the key's id (no secret), and 256 random bits. The prefix lets scanners for leaked secrets find it. */
const FORMAT = /^sl_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;

export type NewToken = { readonly id: string; readonly token: string };

export function newToken(): NewToken {
  const id = randomBytes(6).toString("hex");
  return { id, token: `sl_${id}_${randomBytes(32).toString("base64url")}` };
}

/** The id in a token, undefined when the text is no token of ours. */
export function tokenId(text: string): string | undefined {
  return FORMAT.exec(text)?.[1];
}

/** What is kept of a token. It has 256 random bits, so one fast round is enough: there is nothing to guess. */
export function tokenHash(token: string): Buffer {
  return hash("sha256", token, "buffer");
}
