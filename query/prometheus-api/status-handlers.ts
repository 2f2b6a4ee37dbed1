import { availableParallelism, hostname } from "node:os";
import { getHeapStatistics } from "node:v8";
import { type QueryHandler, sendJson } from "../http/query-api.ts";
import type { PrometheusApiDeps } from "./prometheus-api-deps.ts";

/** The release whose query API this is: Grafana decides by it what it may ask for. */
const PROMETHEUS_VERSION = "3.14.0";

/**
 * `/api/v1/status/buildinfo`. It must not have `features`: Grafana would take us for Mimir. Fields that only a Go program
 * can fill are empty.
 */
export function buildInfoHandler({ buildInfo }: PrometheusApiDeps): QueryHandler {
  return fixed({
    version: PROMETHEUS_VERSION,
    revision: buildInfo.revision,
    branch: "",
    buildUser: "",
    buildDate: "",
    goVersion: "",
    application: `Sightline ${buildInfo.version}`,
  });
}

/** `/api/v1/status/config` */
export function configHandler({ server }: PrometheusApiDeps): QueryHandler {
  return async ({ reply }) => sendJson(reply, { status: "success", data: { yaml: server.configYaml() } });
}

/** `/api/v1/status/flags`; what Grafana makes of it: docs/decisions/0005-status-flags.md. */
export function flagsHandler({ server }: PrometheusApiDeps): QueryHandler {
  return async ({ reply }) => sendJson(reply, { status: "success", data: server.flags() });
}

/** `/api/v1/status/runtimeinfo`. Counts of goroutines and the like, which do not exist here, are 0 or empty. */
export function runtimeInfoHandler({ server, nowMs = Date.now }: PrometheusApiDeps): QueryHandler {
  return async ({ reply }) => {
    const startTime = new Date(server.startedAtMs).toISOString();
    const data = {
      startTime,
      CWD: process.cwd(),
      hostname: hostname(),
      serverTime: new Date(nowMs()).toISOString(),
      reloadConfigSuccess: true,
      lastConfigTime: startTime,
      corruptionCount: 0,
      goroutineCount: 0,
      GOMAXPROCS: availableParallelism(),
      GOMEMLIMIT: getHeapStatistics().heap_size_limit,
      GOGC: "",
      GODEBUG: "",
      storageRetention: server.retention,
    };
    return sendJson(reply, { status: "success", data });
  };
}

/** `/api/v1/status/walreplay`: nothing is served before the log has been replayed. */
export const walReplayHandler: QueryHandler = fixed({ min: 0, max: 0, current: 0 });

/** `/api/v1/notifications`: there are none. */
export const notificationsHandler: QueryHandler = fixed([]);

/** `/api/v1/notifications/live`: no content tells an event source not to come again. */
export const liveNotificationsHandler: QueryHandler = async ({ reply }) => reply.code(204).send();

function fixed(data: unknown): QueryHandler {
  return async ({ reply }) => sendJson(reply, { status: "success", data });
}
