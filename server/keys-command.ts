import { tokenId } from "@sightline/auth/api-key-token.ts";
import { grantKey } from "@sightline/auth/key-grant.ts";
import type { Config } from "@sightline/config/schema.ts";
import type { ApiKey, KeyCatalog } from "@sightline/model/access.ts";
import { InvalidInputError, NotFoundError } from "@sightline/model/errors.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { parseDurationMs } from "@sightline/model/units.ts";
import { Registry } from "prom-client";
import { catalogStorage } from "./catalog-storage.ts";
import type { Invocation } from "./command-options.ts";

const USAGE =
  "usage: keys create --tenant T --scope ingest,read[,reveal,write-rules,admin] [--expires 90d] [--name N] | keys list | keys revoke ID…";

const BUSY_TIMEOUT_MS = 5_000;

type KeysOptions = Invocation & { readonly config: Config };
type Action = (catalog: KeyCatalog, options: KeysOptions) => Promise<void>;

const ACTIONS: ReadonlyMap<string, Action> = new Map([
  ["create", create],
  ["list", list],
  ["revoke", revoke],
]);

/** `sightline keys …` on the catalog, whether a server runs or not. Returns the exit code. */
export async function runKeys(options: KeysOptions): Promise<number> {
  const action = ACTIONS.get(options.words[0] ?? "");
  if (!action) {
    process.stderr.write(`sightline: ${USAGE}\n`);
    return 2;
  }
  const { catalog, components } = catalogStorage({
    config: options.config,
    logger: SILENT_LOGGER,
    registry: new Registry(),
    busyTimeoutMs: BUSY_TIMEOUT_MS,
  });
  try {
    for (const component of components) await component.start();
    await action(catalog, options);
  } finally {
    for (const component of components.toReversed()) await component.stop();
  }
  if (options.config.auth.mode !== "keys") {
    process.stderr.write("sightline: note that auth.mode is none here: the server asks for no key until it is keys\n");
  }
  return 0;
}

/** The key alone goes to standard output, so that a script can take it. */
async function create(catalog: KeyCatalog, { options }: KeysOptions): Promise<void> {
  const { tenant, scope, expires, name = "" } = options as Record<string, string | undefined>;
  if (tenant === undefined || scope === undefined) {
    throw new InvalidInputError(`keys create needs --tenant and --scope; ${USAGE}`);
  }
  const nowMs = Date.now();
  const scopes = scope.split(",").map((text) => text.trim());
  const expiresAtMs = expires === undefined ? undefined : nowMs + parseDurationMs(expires);
  const { key, token } = grantKey({ tenant, scopes, name, expiresAtMs }, nowMs);
  await catalog.addKey(key);
  process.stderr.write(`key ${key.id} of tenant ${key.tenant}; it is shown this once and can't be looked up again:\n`);
  process.stdout.write(`${token}\n`);
}

const COLUMNS = ["ID", "TENANT", "SCOPES", "STATE", "CREATED", "EXPIRES", "LAST USED", "NAME"];

async function list(catalog: KeyCatalog): Promise<void> {
  const nowMs = Date.now();
  const rows = [COLUMNS, ...(await catalog.keys()).map((key) => describe(key, nowMs))];
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  for (const row of rows) {
    process.stdout.write(
      `${row
        .map((text, i) => text.padEnd(widths[i] as number))
        .join("  ")
        .trimEnd()}\n`,
    );
  }
}

function describe(key: ApiKey, nowMs: number): string[] {
  const time = (ms: number | undefined) => (ms === undefined ? "-" : `${new Date(ms).toISOString().slice(0, 19)}Z`);
  const isExpired = key.expiresAtMs !== undefined && key.expiresAtMs <= nowMs;
  const state = key.revokedAtMs !== undefined ? "revoked" : isExpired ? "expired" : "good";
  const times = [key.createdAtMs, key.expiresAtMs, key.lastUsedAtMs].map(time);
  return [key.id, key.tenant, key.scopes.join(","), state, ...times, key.name];
}

async function revoke(catalog: KeyCatalog, { words }: KeysOptions): Promise<void> {
  const ids = words.slice(1);
  if (ids.length === 0) throw new InvalidInputError("keys revoke needs the ID of a key; keys list shows them");
  for (const word of ids) {
    // Whoever pastes the whole key must not find it in an error message.
    const id = tokenId(word) ?? word;
    if (!(await catalog.revokeKey(id, Date.now()))) {
      throw new NotFoundError(`there is no key ${id} that could be revoked; keys list shows them`);
    }
    process.stdout.write(`${id} is revoked\n`);
  }
}
