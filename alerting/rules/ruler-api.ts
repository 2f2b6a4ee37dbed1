import type { Authenticator, Principal } from "@sightline/model/access.ts";
import { InvalidInputError, LimitError, NotFoundError, SightlineError, statusOf } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { RuleCatalog, RuleLanguage, StoredRuleGroup } from "@sightline/model/rules.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { parse, stringify } from "yaml";
import { refuseOtherSites } from "../refuse-other-sites.ts";
import { changeBy, versionsAnswer } from "../stored-versions.ts";
import type { RulesConfig } from "./config.ts";
import { type ReadRuleFile, readRuleGroup } from "./parse-rule-file.ts";

export type RulerApiOptions = {
  readonly authenticator: Authenticator;
  readonly catalog: RuleCatalog;
  readonly read: ReadRuleFile;
  readonly config: Pick<RulesConfig, "max_groups_per_tenant" | "max_rules_per_group" | "max_group_bytes">;
  /** Called after each change. */
  readonly changed: () => Promise<void>;
  readonly logger: Logger;
};

type Path = { readonly namespace?: string; readonly group?: string };
type Call = { readonly principal: Principal; readonly path: Path; readonly request: FastifyRequest };
type Handler = (call: Call, language: RuleLanguage | "") => Promise<Answer>;
type Answer = { readonly code: number; readonly yaml?: unknown; readonly json?: unknown };

/** Where Mimir and Loki have their rulers, and the language of their expressions. */
const PLACES: readonly (readonly [prefix: string, language: RuleLanguage | ""])[] = [
  ["/config/v1/rules", ""],
  ["/prometheus/config/v1/rules", ""],
  ["/loki/api/v1/rules", "logql"],
  ["/api/prom/rules", "logql"],
];
const DONE: Answer = { code: 202, json: { status: "success", data: null, errorType: "", error: "" } };
const MAX_NAME_LENGTH = 256;

/** The ruler APIs of Mimir and Loki: groups of rules of a tenant, by namespace. Bodies are YAML. */
export function registerRulerApi(app: FastifyInstance, options: RulerApiOptions): void {
  const api = new RulerApi(options);
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    const bodyLimit = options.config.max_group_bytes;
    scope.addContentTypeParser("*", { parseAs: "string", bodyLimit }, (_request, body, done) => done(null, body));
    scope.setErrorHandler((error, _request, reply) => sendError(reply, error, options.logger));
    for (const [prefix, language] of PLACES) {
      const route = (method: "GET" | "POST" | "DELETE", path: string, handler: Handler) => {
        const right = method === "GET" ? "read" : "write-rules";
        scope.route<{ Params: Path }>({
          method,
          url: prefix + path,
          exposeHeadRoute: false,
          handler: async (request, reply) => {
            if (method !== "GET") refuseOtherSites(request);
            const principal = options.authenticator.authenticate(request.headers, right, { peer: request.ip });
            return send(reply, await handler({ principal, path: request.params, request }, language));
          },
        });
      };
      route("GET", "", (call) => api.list(call));
      route("GET", "/:namespace", (call) => api.list(call));
      route("GET", "/:namespace/:group", (call) => api.get(call));
      route("GET", "/:namespace/:group/versions", (call) => api.versions(call));
      route("POST", "/:namespace", (call, of) => api.put(call, of));
      route("DELETE", "/:namespace/:group", (call) => api.remove(call));
      route("DELETE", "/:namespace", (call) => api.remove(call));
    }
  });
}

class RulerApi {
  readonly #options: RulerApiOptions;

  constructor(options: RulerApiOptions) {
    this.#options = options;
  }

  async list(call: Call): Promise<Answer> {
    const groups = await this.#groups(call);
    if (groups.length === 0) throw new NotFoundError("no rule groups found");
    const byNamespace = Map.groupBy(groups, ({ namespace }) => namespace);
    return { code: 200, yaml: Object.fromEntries([...byNamespace].map(([name, of]) => [name, of.map(contentOf)])) };
  }

  async get(call: Call): Promise<Answer> {
    const [group] = await this.#groups(call);
    if (!group) throw new NotFoundError("group does not exist");
    return { code: 200, yaml: contentOf(group) };
  }

  /** What it was, when, and by whom; newest first. */
  async versions({ principal, path: { namespace = "", group = "" } }: Call): Promise<Answer> {
    const versions = await this.#options.catalog.ruleGroupVersions(principal.tenant, namespace, group);
    if (versions.length === 0) throw new NotFoundError("group does not exist");
    return { code: 200, json: versionsAnswer(versions) };
  }

  async put(call: Call, language: RuleLanguage | ""): Promise<Answer> {
    const { principal, path, request } = call;
    const { read, config, catalog } = this.#options;
    const { namespace = "" } = path;
    const text = typeof request.body === "string" ? request.body : "";
    const group = await readRuleGroup(read, text, language);
    if (group.name.length > MAX_NAME_LENGTH || namespace.length > MAX_NAME_LENGTH) {
      throw new InvalidInputError(`names of groups and namespaces may have ${MAX_NAME_LENGTH} characters`);
    }
    if (group.rules.length > config.max_rules_per_group) {
      throw new LimitError(
        `the group has ${group.rules.length} rules, alerting.rules.max_rules_per_group is ${config.max_rules_per_group}`,
      );
    }
    const others = await this.#groups({ ...call, path: {} });
    const isNew = !others.some((other) => other.namespace === namespace && other.name === group.name);
    if (isNew && others.length >= config.max_groups_per_tenant) {
      throw new LimitError(
        `there are ${others.length} rule groups, alerting.rules.max_groups_per_tenant is ${config.max_groups_per_tenant}`,
      );
    }
    await catalog.changeRuleGroup({ ...changeBy(principal, request), namespace, name: group.name, text, language });
    await this.#options.changed();
    return DONE;
  }

  /** One group, or all of the namespace. */
  async remove(call: Call): Promise<Answer> {
    const groups = await this.#groups(call);
    if (groups.length === 0) throw new NotFoundError(call.path.group ? "group does not exist" : "no rule groups found");
    for (const { namespace, name, language } of groups) {
      const change = changeBy(call.principal, call.request);
      await this.#options.catalog.changeRuleGroup({ ...change, namespace, name, text: "", language });
    }
    await this.#options.changed();
    return DONE;
  }

  async #groups({ principal, path }: Call): Promise<readonly StoredRuleGroup[]> {
    const groups = await this.#options.catalog.ruleGroups();
    return groups.filter(
      ({ tenant, namespace, name }) =>
        tenant === principal.tenant &&
        (path.namespace === undefined || namespace === path.namespace) &&
        (path.group === undefined || name === path.group),
    );
  }
}

function contentOf({ text }: StoredRuleGroup): unknown {
  return parse(text);
}

function send(reply: FastifyReply, { code, yaml, json }: Answer): FastifyReply {
  if (yaml === undefined) return reply.code(code).type("application/json").send(JSON.stringify(json));
  return reply.code(code).type("application/yaml").send(stringify(yaml));
}

function sendError(reply: FastifyReply, error: unknown, logger: Logger): FastifyReply {
  // What Fastify itself refuses knows its status.
  const code = (error as { statusCode?: number }).statusCode ?? statusOf(error).http;
  if (code === 500) logger.error("a request about rules failed", { error });
  const isKnown = error instanceof SightlineError || code < 500;
  const message = isKnown ? (error as Error).message : "internal error";
  const errorType = code < 500 ? "bad_data" : "server_error";
  return reply
    .code(code)
    .type("application/json")
    .send(JSON.stringify({ status: "error", data: null, errorType, error: message }));
}
