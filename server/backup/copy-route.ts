import { cp, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { AuditLog } from "@sightline/model/audit-log.ts";
import { ForbiddenError } from "@sightline/model/errors.ts";
import type { Copyable } from "@sightline/model/ports.ts";
import { type QueryApiDeps, type QueryHandler, registerQueryApi, sendJson } from "@sightline/query/http/query-api.ts";
import { refuseCrossSite } from "@sightline/query/http/refuse-cross-site.ts";
import { sendPrometheusFailure } from "@sightline/query/prometheus-api/error-response.ts";
import type { FastifyInstance } from "fastify";
import { DATA_LAYOUT } from "../data-layout.ts";

export type CopyRouteDeps = QueryApiDeps & {
  readonly dataDir: string;
  readonly parts: Readonly<Record<"metrics" | "logs" | "traces" | "catalog", Copyable>> & {
    /** Undefined in a process that notifies nobody. */
    readonly alerting: Copyable | undefined;
  };
  readonly audit: AuditLog;
};

/**
 * `POST /api/v1/admin/copy`, for administrators of all tenants: makes `snapshots/copy-…` below the data directory, a data
 * directory with everything that was acknowledged before, and answers with its path. Most of it are second names of files,
 * so it takes little space; whoever asked removes it. `sightline backup create` is the client.
 */
export function registerCopyRoute(app: FastifyInstance, deps: CopyRouteDeps): void {
  if (!deps.config.admin_api) return;
  const handler: QueryHandler = async ({ tenant, keyId, isGlobal, request, reply }) => {
    refuseCrossSite(request);
    if (!isGlobal) throw new ForbiddenError("a copy has the data of all tenants: use a key made with --tenant '*'");
    const atMs = Date.now();
    const dir = join(deps.dataDir, DATA_LAYOUT.snapshots, `copy-${atMs}`);
    await makeCopy(deps, dir);
    await deps.audit.addEntry({ atMs, tenant, keyId, client: request.ip, action: "copy all data", details: { dir } });
    return sendJson(reply, { status: "success", data: { dir } });
  };
  registerQueryApi(app, deps, sendPrometheusFailure, [
    { methods: ["POST"], url: "/api/v1/admin/copy", handler, scope: "admin" },
  ]);
}

async function makeCopy({ dataDir, parts }: CopyRouteDeps, dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    for (const [name, part] of Object.entries(parts)) {
      await part?.copyTo(join(dir, DATA_LAYOUT[name as keyof typeof parts]));
    }
    // Letters are whole files, each written once.
    const letters = join(dataDir, DATA_LAYOUT.deadLetters);
    await cp(letters, join(dir, DATA_LAYOUT.deadLetters), { recursive: true }).catch(unlessMissing);
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
