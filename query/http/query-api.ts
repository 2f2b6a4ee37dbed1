import type { Authenticator, Principal, Scope } from "@sightline/model/access.ts";
import { ForbiddenError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import { beginQuery } from "@sightline/model/loop-turns.ts";
import { compileRegex, type Regex } from "@sightline/model/regex.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Registry } from "prom-client";
import type { QueryUsage } from "../active-queries/query-record.ts";
import type { QueryTracker } from "../active-queries/query-tracker.ts";
import type { QueryConfig } from "../config.ts";
import { acceptForms, acceptRawBodies } from "./accept-forms.ts";
import { looksCostly } from "./expected-cost.ts";
import { type FailureSender, sendFailure } from "./failure.ts";
import { parseSecondsOrDuration } from "./go-syntax.ts";
import type { QueryGate } from "./query-gate.ts";
import { QueryMetrics } from "./query-metrics.ts";
import { requestAbort } from "./request-abort.ts";
import { RequestParameters } from "./request-parameters.ts";

/** What every query API is given. */
export type QueryApiDeps = {
  readonly authenticator: Authenticator;
  readonly config: QueryConfig;
  /** One for all query APIs of a process. */
  readonly gate: QueryGate;
  readonly buildInfo: BuildInfo;
  readonly logger: Logger;
  /** One for all query APIs of a process, too. */
  readonly tracker?: QueryTracker | undefined;
  readonly registry?: Registry | undefined;
};
export type BuildInfo = { readonly version: string; readonly revision: string };

/** One authenticated request. `signal` aborts when its client goes away or `query.timeout_ms` is over. */
export type QueryCall = {
  readonly tenant: TenantId;
  /** Of the API key that was presented, "" without one. */
  readonly keyId: string;
  /** The caller may act for every tenant. */
  readonly isGlobal: boolean;
  readonly parameters: RequestParameters;
  readonly signal: AbortSignal;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Parameters of the path, decoded. */
  readonly path: Readonly<Record<string, string>>;
  /** For the handler to fill in. */
  readonly usage: QueryUsage;
};
export type QueryHandler = (call: QueryCall) => Promise<FastifyReply>;

export type Method = "GET" | "POST" | "PUT" | "DELETE";
export type QueryRoute = {
  readonly methods: readonly Method[];
  readonly url: string;
  readonly handler: QueryHandler;
  /** Waits at the gate and is kept track of; unset for what costs nothing. */
  readonly gated?: boolean;
  /** What a key must allow; `read` when absent. */
  readonly scope?: Scope;
  /** It tells of the process, not of a tenant: for keys of all tenants only. */
  readonly ofProcess?: boolean;
};

export type QueryApiOptions = {
  /** Bodies are not forms: handlers find them in `request.body` as a Buffer. */
  readonly rawBodies?: boolean;
};

/** An engine that watches the timeout itself notices first, and words it in its own way. */
const ENGINE_GRACE_MS = 1_000;

/**
 * Registers the routes of one API in a scope of its own: its body parser and its way to answer errors touch nobody
 * else's routes.
 */
export function registerQueryApi(
  app: FastifyInstance,
  deps: QueryApiDeps,
  sendApiFailure: FailureSender,
  routes: readonly QueryRoute[],
  options: QueryApiOptions = {},
): void {
  const metrics = deps.registry && new QueryMetrics(deps.registry);
  const { authenticator, config, gate, tracker } = deps;
  const principals = new WeakMap<FastifyRequest, Principal>();
  app.register(async (scope) => {
    if (options.rawBodies) acceptRawBodies(scope, deps.config.max_form_bytes);
    else acceptForms(scope, deps.config.max_form_bytes);
    const cors = deps.config.cors_origin === "" ? undefined : compileRegex(deps.config.cors_origin);
    if (cors) scope.addHook("onRequest", async (request, reply) => allowOrigin(cors, request, reply));
    scope.addHook("onResponse", (request, reply, done) => {
      metrics?.answered(request.routeOptions.url ?? "", reply.statusCode, reply.elapsedTime);
      done();
    });
    scope.setErrorHandler((error, request, reply) => {
      metrics?.failed(error);
      return sendFailure(error, request, reply, deps.logger, sendApiFailure);
    });
    for (const { methods, url, handler, gated, scope: keyScope = "read", ofProcess = false } of routes) {
      scope.route({
        method: [...methods],
        url,
        exposeHeadRoute: false,
        // Before the body is read, so that strangers can't make the server hold theirs.
        onRequest: (request, reply, done) => {
          const principal = authenticator.authenticate(request.headers, keyScope, { peer: request.ip });
          if (ofProcess && !principal.isGlobal) {
            throw new ForbiddenError("this is about the server and all its tenants: use a key made with --tenant '*'");
          }
          principals.set(request, principal);
          // The answer, too, takes turns.
          if (gated) reply.raw.once("close", beginQuery());
          done();
        },
        handler: (request, reply) => {
          const { tenant, keyId = "", isGlobal = false } = principals.get(request) as Principal;
          const parameters = new RequestParameters(request);
          const timeoutMs = Math.min(config.timeout_ms, requestedTimeoutMs(parameters));
          const abort = requestAbort(request, reply, timeoutMs + ENGINE_GRACE_MS);
          const { signal } = abort;
          const path = request.params as Readonly<Record<string, string>>;
          const usage: QueryUsage = { samples: 0, peakSamples: 0, cachedSteps: 0 };
          const call: QueryCall = { tenant, keyId, isGlobal, parameters, signal, request, reply, path, usage };
          return gated ? runGated(gate, tracker, url, call, abort, handler) : handler(call);
        },
      });
    }
    for (const [url, sameUrl] of Map.groupBy(routes, ({ url }) => url)) {
      refuseOtherMethods(
        scope,
        url,
        sameUrl.flatMap(({ methods }) => methods),
      );
    }
  });
}

/** The parameter `timeout`, which counts from the request on: waiting for a turn is part of it. */
function requestedTimeoutMs(parameters: RequestParameters): number {
  const text = parameters.get("timeout");
  const duration = text === "" ? undefined : parseSecondsOrDuration(text);
  // What is wrong with it is for the API to say.
  return duration === undefined || "error" in duration ? Number.POSITIVE_INFINITY : Math.max(0, duration.ms);
}

const MAX_KEPT_LENGTH = 40;
/** Parameters that say what a query is about, beside its text. */
const KEPT_PARAMETERS = ["start", "end", "step", "time"] as const;

function runGated(
  gate: QueryGate,
  tracker: QueryTracker | undefined,
  route: string,
  call: QueryCall,
  abort: AbortController,
  handler: QueryHandler,
): Promise<FastifyReply> {
  const { tenant, parameters, request, signal, usage } = call;
  if (!tracker) return gate.run(tenant, signal, () => handler(call));
  const kept: Record<string, string> = {};
  for (const name of KEPT_PARAMETERS) {
    const text = parameters.get(name);
    if (text !== "") kept[name] = text.slice(0, MAX_KEPT_LENGTH);
  }
  const start = {
    tenant,
    route,
    method: request.method,
    clientIp: request.ip,
    text: parameters.get("query") || parameters.get("q") || parameters.all("match[]").join(" "),
    parameters: kept,
  };
  return tracker.track(start, abort, usage, (entered, typical) => {
    const run = () => {
      entered();
      return handler(call);
    };
    return gate.run(tenant, signal, run, looksCostly(parameters, typical));
  });
}

/** As Prometheus does (SetCORS of its util/httputil), but only for origins that the setting names. */
function allowOrigin(allowed: Regex, request: FastifyRequest, reply: FastifyReply): void {
  const { origin } = request.headers;
  if (origin === undefined || !allowed.matchesWhole(origin)) return;
  reply
    .header("access-control-allow-origin", origin)
    .header("access-control-allow-methods", "GET, POST, OPTIONS")
    .header("access-control-allow-headers", "Accept, Authorization, Content-Type, Origin")
    .header("access-control-expose-headers", "Date")
    .header("vary", "Origin");
}

/** With 405, by which Grafana knows that it should try GET, and not with "nothing is served here". */
function refuseOtherMethods(scope: FastifyInstance, url: string, methods: readonly Method[]): void {
  const others = (["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"] as const).filter(
    (name) => !methods.includes(name as Method),
  );
  const allow = [...methods, "OPTIONS"].sort().join(", ");
  scope.route({
    method: "OPTIONS",
    url,
    handler: async (_request, reply) => reply.code(204).send(),
  });
  scope.route({
    method: others,
    url,
    handler: async (_request, reply) =>
      reply.code(405).header("allow", allow).type("text/plain; charset=utf-8").send("Method Not Allowed\n"),
  });
}

/** As bytes, because Fastify would add a charset to a text's type, which the servers we stand in for do not have. */
export function sendJson(reply: FastifyReply, value: unknown): FastifyReply {
  return reply.header("content-type", "application/json").send(Buffer.from(JSON.stringify(value)));
}
