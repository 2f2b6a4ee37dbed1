import type { Authenticator } from "@sightline/model/access.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { queryConfig } from "../config.ts";
import type { QueryApiDeps } from "./query-api.ts";
import { QueryGate } from "./query-gate.ts";

/** Trusts `X-Scope-OrgID`. */
const authenticator: Authenticator = {
  authenticate: (headers) => {
    const tenant = headers["x-scope-orgid"];
    return { tenant: tenant === undefined ? DEFAULT_TENANT : tenantId(String(tenant)), isGlobal: true };
  },
};

/** What tests hand to an API: the defaults of the configuration. */
export const TEST_DEPS: QueryApiDeps = {
  authenticator,
  config: queryConfig.parse({}),
  gate: new QueryGate({ maxConcurrent: 20, maxWaiting: 10 }),
  buildInfo: { version: "1.2.3", revision: "abcdef" },
  logger: SILENT_LOGGER,
};
