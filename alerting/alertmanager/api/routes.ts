import { Readable } from "node:stream";
import type { Authenticator, Scope } from "@sightline/model/access.ts";
import { LimitError, NotFoundError, statusOf } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Alertmanager } from "../alertmanager.ts";
import type { DecisionHistory } from "../history/decision-history.ts";
import { explainAlert } from "../history/explain.ts";
import { labelMap } from "../labels.ts";
import type { MatcherSyntax } from "../matchers/matcher-syntax.ts";
import type { TenantAlertmanagers } from "../tenant-alertmanagers.ts";
import { matchesFilter, readMatchers } from "./alert-filter.ts";
import { getAlertGroups, getAlerts, readPostedAlerts } from "./alerts-api.ts";
import { formatDateTime } from "./date-time.ts";
import { explainHypothetical, readFingerprint, readHistoryRange, shownDecision } from "./history-api.ts";
import { RequestProblem } from "./request-problem.ts";
import { getSilences, gettableSilence, readPostedSilence } from "./silences-api.ts";

export type AlertmanagerApiDeps = {
  readonly alertmanagers: TenantAlertmanagers;
  readonly history: Pick<DecisionHistory, "history">;
  readonly authenticator: Authenticator;
  readonly syntax: MatcherSyntax;
  readonly logger: Logger;
  readonly version: string;
  /** Largest body of a request. */
  readonly maxBodyBytes: number;
};

/** One authenticated request. */
type Call = {
  readonly tenant: TenantId;
  readonly alertmanager: Alertmanager;
  readonly parameters: URLSearchParams;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
};
type Handler = (call: Call) => Promise<FastifyReply | undefined>;
type Route = {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly scope: Scope;
  readonly handler: Handler;
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Of these it is said whether the last attempt failed. */
const RECENT_MS = 24 * 3_600_000;
const RECENT_DECISIONS = 500;
const startedAtMs = Date.now();
/** Whose API it is: `amtool` warns at each call about another version than its own. */
const ALERTMANAGER_VERSION = "0.34.0";

/** API v2 of Alertmanager (openapi.yaml), below each of `prefixes`. */
export function registerAlertmanagerApi(
  app: FastifyInstance,
  prefixes: readonly string[],
  deps: AlertmanagerApiDeps,
): void {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      /^application\/json(?:;|$)/,
      { parseAs: "buffer", bodyLimit: deps.maxBodyBytes },
      (_request, body, done) => done(null, body),
    );
    // What a page of another site can make a browser send without asking is none of these.
    scope.addContentTypeParser("*", (request, _payload, done) =>
      done(RequestProblem.mediaType(request.headers["content-type"] ?? "")),
    );
    scope.setErrorHandler((error, request, reply) => sendFailure(error, request, reply, deps.logger));
    for (const prefix of prefixes) {
      const all = routes(deps);
      for (const route of all) register(scope, `${prefix}/api/v2`, route, deps);
      refuseOthers(scope, `${prefix}/api/v2`, all);
      for (const route of historyRoutes(deps)) register(scope, `${prefix}/api/alerts`, route, deps);
    }
  });
}

function register(
  scope: FastifyInstance,
  prefix: string,
  { method, path, scope: keyScope, handler }: Route,
  { authenticator, alertmanagers }: AlertmanagerApiDeps,
): void {
  const tenants = new WeakMap<FastifyRequest, TenantId>();
  scope.route({
    method,
    url: `${prefix}${path}`,
    // Before the body is read, so that strangers can't make the server hold theirs.
    onRequest: async (request) => {
      const { tenant } = authenticator.authenticate(request.headers, keyScope, { peer: request.ip });
      tenants.set(request, tenant);
    },
    handler: async (request, reply) => {
      const tenant = tenants.get(request) as TenantId;
      const alertmanager = await alertmanagers.of(tenant);
      const query = request.url.indexOf("?");
      const parameters = new URLSearchParams(query < 0 ? "" : request.url.slice(query + 1));
      reply.header("cache-control", "no-store");
      return handler({ tenant, alertmanager, parameters, request, reply });
    },
  });
}

/** What is no operation of the API, in go-openapi's words. */
function refuseOthers(scope: FastifyInstance, prefix: string, routes: readonly Route[]): void {
  for (const path of new Set(routes.map((route) => route.path))) {
    const allowed = routes.filter((route) => route.path === path).map(({ method }) => method);
    scope.route({
      method: (["GET", "POST", "PUT", "PATCH", "DELETE"] as const).filter(
        (method) => !allowed.includes(method as "GET"),
      ),
      url: `${prefix}${path}`,
      // Before its body is read.
      onRequest: async ({ method }, reply) => {
        reply.header("allow", allowed.join(","));
        throw RequestProblem.method(method, allowed);
      },
      handler: async () => undefined,
    });
  }
  scope.all(`${prefix}/*`, {
    onRequest: async ({ url }) => {
      throw RequestProblem.path(url.split("?", 1)[0] as string);
    },
    handler: async () => undefined,
  });
}

function routes(deps: AlertmanagerApiDeps): readonly Route[] {
  const { syntax } = deps;
  const get = (path: string, handler: Handler): Route => ({ method: "GET", path, scope: "read", handler });
  return [
    get("/status", async (call) => sendJson(call, status(call.alertmanager, deps))),
    get("/receivers", async (call) => sendJson(call, receivers(call, syntax))),
    get("/alerts", async (call) => sendArray(call, getAlerts(call.alertmanager, call.parameters, syntax))),
    get("/alerts/groups", async (call) => sendArray(call, getAlertGroups(call.alertmanager, call.parameters, syntax))),
    get("/silences", async (call) => sendArray(call, getSilences(call.alertmanager, call.parameters, syntax))),
    get("/silence/:id", getSilence),
    { method: "POST", path: "/alerts", scope: "ingest", handler: postAlerts },
    { method: "POST", path: "/silences", scope: "write-rules", handler: postSilence },
    { method: "DELETE", path: "/silence/:id", scope: "write-rules", handler: deleteSilence },
  ];
}

/** What Alertmanager has not: why somebody was notified, or was not. */
function historyRoutes({ history, syntax }: AlertmanagerApiDeps): readonly Route[] {
  const shown = async (call: Call) => {
    const fingerprint = readFingerprint((call.request.params as { id: string }).id);
    const { sinceMs, limit } = readHistoryRange(call.parameters);
    const decisions = history.history(call.tenant, fingerprint, sinceMs, limit);
    return sendJson(call, { fingerprint, decisions: decisions.map((one) => shownDecision(one, fingerprint)) });
  };
  const explain = async (call: Call) => {
    const fingerprint = readFingerprint((call.request.params as { id: string }).id);
    const alert = call.alertmanager.alerts.find(fingerprint);
    if (!alert) throw new NotFoundError(`no alert ${fingerprint} fires, or has done so within half an hour`);
    const nowMs = Date.now();
    const decisions = history.history(call.tenant, fingerprint, nowMs - RECENT_MS, RECENT_DECISIONS);
    return sendJson(call, explainAlert(call.alertmanager, alert, nowMs, decisions));
  };
  return [
    { method: "GET", path: "/:id/history", scope: "read", handler: shown },
    { method: "GET", path: "/:id/explain", scope: "read", handler: explain },
    {
      method: "POST",
      path: "/explain",
      scope: "read",
      handler: async (call) => sendJson(call, explainHypothetical(call.alertmanager, bodyOf(call.request), syntax)),
    },
  ];
}

async function postAlerts({ alertmanager, request, reply }: Call): Promise<FastifyReply> {
  await alertmanager.post(await readPostedAlerts(bodyOf(request)));
  return reply.code(200).send();
}

async function postSilence(call: Call): Promise<FastifyReply> {
  const silenceID = await call.alertmanager.silences.set(readPostedSilence(bodyOf(call.request), Date.now()));
  return sendJson(call, { silenceID });
}

async function getSilence(call: Call): Promise<FastifyReply> {
  const silence = call.alertmanager.silences.find(silenceId(call));
  return silence ? sendJson(call, gettableSilence(silence, Date.now())) : call.reply.code(404).send();
}

async function deleteSilence(call: Call): Promise<FastifyReply> {
  await call.alertmanager.silences.expire(silenceId(call));
  return call.reply.code(200).send();
}

function bodyOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

function silenceId({ request }: Call): string {
  const { id = "" } = request.params as { id?: string };
  if (!UUID.test(id)) throw RequestProblem.wrongFormat("silenceID in path", "uuid", id);
  return id;
}

function receivers({ alertmanager, parameters }: Call, syntax: MatcherSyntax): unknown {
  const matchers = readMatchers(parameters, "receiver_matchers", syntax);
  return alertmanager.config.receivers
    .filter(({ labels }) => matchesFilter(matchers, labelMap(labels)))
    .map(({ name, labels }) => ({ name, labels: Object.fromEntries(labels) }));
}

function status(alertmanager: Alertmanager, { alertmanagers, version }: AlertmanagerApiDeps): unknown {
  return {
    cluster: alertmanagers.clusterStatus(),
    config: { original: alertmanager.config.shown },
    uptime: formatDateTime(startedAtMs),
    versionInfo: {
      branch: "sightline",
      buildDate: "",
      buildUser: "",
      goVersion: "",
      revision: version,
      version: ALERTMANAGER_VERSION,
    },
  };
}

function sendJson({ reply }: Call, value: unknown): FastifyReply {
  return reply.type("application/json").send(`${JSON.stringify(value)}\n`);
}

function sendArray({ reply }: Call, pieces: AsyncGenerator<string>): FastifyReply {
  return reply.type("application/json").send(Readable.from(pieces, { objectMode: false }));
}

/** A JSON string with the message, as go-openapi sends it. */
function sendFailure(error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): FastifyReply {
  if (error instanceof RequestProblem) {
    const { code, message } = error;
    return reply
      .code(error.status)
      .type("application/json")
      .send(`${JSON.stringify({ code, message })}\n`);
  }
  const { http, retryAfterMs } = statusOf(error);
  const own = (error as { statusCode?: number }).statusCode;
  const status = error instanceof LimitError ? 400 : http === 500 ? (own ?? 500) : http;
  if (status >= 500 && retryAfterMs === undefined) {
    logger.error("request failed", { method: request.method, url: request.url, error });
  }
  if (retryAfterMs !== undefined) reply.header("retry-after", Math.ceil(retryAfterMs / 1_000));
  reply.code(status);
  if (error instanceof NotFoundError && request.method === "DELETE") return reply.send();
  return reply.type("application/json").send(`${JSON.stringify((error as Error).message)}\n`);
}
