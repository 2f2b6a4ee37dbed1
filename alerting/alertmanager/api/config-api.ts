import type { Authenticator, Principal } from "@sightline/model/access.ts";
import type { AlertmanagerConfigCatalog } from "@sightline/model/alertmanager-configs.ts";
import { InvalidInputError, NotFoundError, statusOf } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { refuseOtherSites } from "../../refuse-other-sites.ts";
import { changeBy, versionsAnswer } from "../../stored-versions.ts";
import type { AlertmanagerSettings } from "../settings.ts";
import { readPostedConfig, writePostedConfig } from "../stored-configs/posted-config.ts";
import type { StoredConfigs } from "../stored-configs/stored-configs.ts";
import type { TenantAlertmanagers } from "../tenant-alertmanagers.ts";

export type AlertmanagerConfigApiDeps = {
  readonly alertmanagers: TenantAlertmanagers;
  readonly catalog: AlertmanagerConfigCatalog;
  readonly stored: StoredConfigs;
  readonly authenticator: Authenticator;
  readonly limits: AlertmanagerSettings["config_api"];
  readonly logger: Logger;
};

type Handler = (principal: Principal, request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

const PATH = "/alertmanager/api/v1/alerts";
/** Beside the configuration: keys, quotes and what YAML escapes. */
const BODY_FACTOR = 2;

/**
 * Mimir's API for the configuration of a tenant's Alertmanager, below `/alertmanager`, as Prometheus has something else at its
 * path. Secrets are given back as they were put, so that all of it needs the right `write-rules`.
 */
export function registerAlertmanagerConfigApi(app: FastifyInstance, deps: AlertmanagerConfigApiDeps): void {
  const { max_config_bytes: configBytes, max_templates: templates, max_template_bytes: templateBytes } = deps.limits;
  const bodyLimit = BODY_FACTOR * (configBytes + templates * templateBytes);
  const principals = new WeakMap<FastifyRequest, Principal>();
  const api = new AlertmanagerConfigApi(deps);
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "string", bodyLimit }, (_request, body, done) => done(null, body));
    scope.setErrorHandler((error, _request, reply) => sendFailure(error, reply, deps.logger));
    const route = (method: "GET" | "POST" | "DELETE", url: string, handler: Handler) =>
      scope.route({
        method,
        url,
        exposeHeadRoute: false,
        // Before the body is read.
        onRequest: async (request) => {
          refuseOtherSites(request);
          const principal = deps.authenticator.authenticate(request.headers, "write-rules", { peer: request.ip });
          principals.set(request, principal);
        },
        handler: (request, reply) => handler(principals.get(request) as Principal, request, reply),
      });
    route("GET", PATH, (...call) => api.get(...call));
    route("POST", PATH, (...call) => api.put(...call));
    route("DELETE", PATH, (...call) => api.remove(...call));
    route("GET", `${PATH}/versions`, (...call) => api.versions(...call));
  });
}

class AlertmanagerConfigApi {
  readonly #deps: AlertmanagerConfigApiDeps;

  constructor(deps: AlertmanagerConfigApiDeps) {
    this.#deps = deps;
  }

  async get({ tenant }: Principal, _request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const [newest] = await this.#deps.catalog.alertmanagerConfigVersions(tenant);
    if (!newest?.text) throw new NotFoundError("no configuration was put by the API");
    return reply.type("application/yaml").send(newest.text);
  }

  /** What it was, when, and by whom; newest first. */
  async versions({ tenant }: Principal, _request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const versions = await this.#deps.catalog.alertmanagerConfigVersions(tenant);
    return reply.type("application/json").send(JSON.stringify(versionsAnswer(versions)));
  }

  /** Only what can be used is kept, and it is in use once that is said. */
  async put(principal: Principal, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { alertmanagers, limits } = this.#deps;
    try {
      const posted = readPostedConfig(typeof request.body === "string" ? request.body : "", limits);
      const alertmanager = await alertmanagers.of(principal.tenant);
      await alertmanager.check(posted.config, { templates: posted.templates });
      await this.#change(principal, request, writePostedConfig(posted));
    } catch (cause) {
      if (!(cause instanceof InvalidInputError)) throw cause;
      throw new InvalidInputError(`error validating Alertmanager config: ${cause.message}`, { cause });
    }
    return reply.code(201).send();
  }

  /** The tenant then has what the server's own files say. */
  async remove(principal: Principal, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    await this.#change(principal, request, "");
    return reply.code(200).send();
  }

  /** What is there already makes no version: tools put the same again and again. */
  async #change(principal: Principal, request: FastifyRequest, text: string): Promise<void> {
    const { catalog, stored } = this.#deps;
    const [newest] = await catalog.alertmanagerConfigVersions(principal.tenant);
    if ((newest?.text ?? "") === text) return;
    await catalog.changeAlertmanagerConfig({ ...changeBy(principal, request), text });
    await stored.look();
  }
}

/** A text, as Mimir sends it. */
function sendFailure(error: unknown, reply: FastifyReply, logger: Logger): FastifyReply {
  const { http, retryAfterMs } = statusOf(error);
  // What Fastify itself refuses knows its status.
  const code = (error as { statusCode?: number }).statusCode ?? http;
  if (code === 500) logger.error("a request about an Alertmanager's configuration failed", { error });
  if (retryAfterMs !== undefined) reply.header("retry-after", Math.ceil(retryAfterMs / 1_000));
  const message = code === 500 ? "internal error" : (error as Error).message;
  return reply.code(code).type("text/plain; charset=utf-8").send(`${message}\n`);
}
