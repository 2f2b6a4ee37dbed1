import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from "node:crypto";
import { InvalidInputError } from "./errors.ts";
import type { TenantId } from "./tenant.ts";

const PREFIX = "sealed";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ID = /^[a-z0-9_-]{1,32}$/i;

/** What was sealed, anywhere in a text: `sealed:KEY:…`, with nonce, tag and ciphertext in base64url. */
export const SEALED_TEXT = /sealed:[A-Za-z0-9_-]{1,32}:[A-Za-z0-9_-]{38,}/g;

type Key = { readonly id: string; readonly encryption: Buffer; readonly nonce: Buffer };

/**
 * Encrypts personal data so that only who may reveal them can read them: AES-256-GCM, bound to the tenant. The nonce is
 * made from key, tenant and text, so that equal texts of a tenant look equal: they can still be counted and searched for.
 */
export class TextSealer {
  readonly #keys: ReadonlyMap<string, Key>;
  readonly #newest: Key;

  /**
   * `text` has a key per line: `ID:` and 32 bytes in base64. The first one seals; the others still open what was sealed
   * with them. Throws {@link InvalidInputError}, which names the line and never the key.
   */
  constructor(text: string, path: string) {
    const lines = text.split("\n").map((line) => line.trim());
    const keys = lines.flatMap((line, i) => (line === "" || line.startsWith("#") ? [] : [keyOf(line, path, i + 1)]));
    const [newest] = keys;
    if (!newest) throw new InvalidInputError(`${path}: has no key: write a line ID:KEY, KEY being 32 bytes in base64`);
    this.#newest = newest;
    this.#keys = new Map(keys.map((key) => [key.id, key]));
    if (this.#keys.size < keys.length) throw new InvalidInputError(`${path}: two keys have the same id`);
  }

  seal(tenant: TenantId, text: string): string {
    const { id, encryption, nonce } = this.#newest;
    const iv = createHmac("sha256", nonce).update(`${tenant}\n`).update(text).digest().subarray(0, NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", encryption, iv).setAAD(Buffer.from(tenant));
    const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return `${PREFIX}:${id}:${Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64url")}`;
  }

  /** Throws {@link InvalidInputError} for what was not sealed for this tenant with one of the keys. */
  open(tenant: TenantId, sealed: string): string {
    const [prefix, id = "", data = ""] = sealed.split(":");
    const key = this.#keys.get(id);
    if (prefix !== PREFIX) throw new InvalidInputError(`not a sealed text: it has to begin with "${PREFIX}:"`);
    if (!key) throw new InvalidInputError(`it was sealed with the key ${JSON.stringify(id)}, which is not there`);
    const bytes = Buffer.from(data, "base64url");
    try {
      const decipher = createDecipheriv("aes-256-gcm", key.encryption, bytes.subarray(0, NONCE_BYTES));
      decipher.setAAD(Buffer.from(tenant));
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      const text = [decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()];
      return Buffer.concat(text).toString("utf8");
    } catch (cause) {
      throw new InvalidInputError("it is damaged, or was sealed for another tenant", { cause });
    }
  }
}

function keyOf(line: string, path: string, number: number): Key {
  const [id = "", encoded = ""] = line.split(":");
  const secret = Buffer.from(encoded, "base64");
  if (!ID.test(id) || secret.length !== KEY_BYTES) {
    throw new InvalidInputError(
      `${path}: line ${number} is not ID:KEY, ID being letters, digits, "_" or "-" and KEY ${KEY_BYTES} bytes in base64`,
    );
  }
  const derive = (use: string) => Buffer.from(hkdfSync("sha256", secret, "", `sightline ${use}`, KEY_BYTES));
  return { id, encryption: derive("sealed text"), nonce: derive("nonce of sealed text") };
}
