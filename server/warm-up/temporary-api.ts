import { randomBytes } from "node:crypto";
import { HeaderAuthenticator } from "@sightline/auth/header-authenticator.ts";
import type { Config } from "@sightline/config/schema.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { MemoryGate } from "@sightline/model/memory-part.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { QueryLog } from "@sightline/query/active-queries/query-log.ts";
import { QueryTracker } from "@sightline/query/active-queries/query-tracker.ts";
import type { QueryApiDeps } from "@sightline/query/http/query-api.ts";
import { QueryGate } from "@sightline/query/http/query-gate.ts";
import type { FastifyInstance } from "fastify";
import { Registry } from "prom-client";
import { HttpListener } from "../http-listener.ts";
import { OwnTraces } from "../self-telemetry/own-traces.ts";
import { VERSION } from "../version.ts";
import { TokenAuthenticator } from "./token-authenticator.ts";

export type TemporaryApiOptions = {
  readonly config: Config;
  readonly memory?: MemoryGate | undefined;
  /** Whose data is served, to nobody who finds the port; undefined: it is made up. */
  readonly tenant: TenantId | undefined;
};

export type TemporaryApiDeps = QueryApiDeps & { readonly registry: Registry };

/** Serves what `register` registers at an address of its own as long as `use` runs. `headers` are to be sent with every request. */
export async function withTemporaryApi(
  { config, memory, tenant }: TemporaryApiOptions,
  register: (app: FastifyInstance, deps: TemporaryApiDeps) => void,
  use: (api: { readonly base: string; readonly headers: Readonly<Record<string, string>> }) => Promise<void>,
): Promise<void> {
  const listener = new HttpListener({ key: "warm-up", hostPort: "127.0.0.1:0", logger: SILENT_LOGGER });
  const token = randomBytes(32).toString("hex");
  const headers = tenant === undefined ? {} : { authorization: `Bearer ${token}` };
  const registry = new Registry();
  const traces = new OwnTraces({
    submit: async () => {},
    resource: { version: VERSION, instance: "" },
    registry,
    quickPerSecond: config.self_telemetry.quick_spans_per_second,
  });
  const log = new QueryLog({ config: { ...config.query.log, to: "none" }, logger: SILENT_LOGGER });
  traces.trace(listener.app);
  register(listener.app, {
    authenticator: tenant === undefined ? new HeaderAuthenticator() : new TokenAuthenticator(token, tenant),
    gate: new QueryGate({ maxConcurrent: 1, maxWaiting: 1, registry, memory }),
    tracker: new QueryTracker({ log, maxTopQueries: 10, topWindowMs: 60_000 }),
    config: config.query,
    logger: SILENT_LOGGER,
    buildInfo: { version: VERSION, revision: "" },
    registry,
  });
  try {
    await listener.start();
    await use({ base: listener.url, headers });
  } finally {
    await listener.stop();
    await traces.stop();
  }
}
