import { type QueryHandler, type QueryRoute, sendJson } from "../http/query-api.ts";
import type { LokiApiDeps } from "./loki-api-deps.ts";

/** `/config`, `/services`, `/log_level` and `/loki/api/v1/status/buildinfo`, as operators of Loki ask them. */
export function serverRoutes(deps: LokiApiDeps): QueryRoute[] {
  const { version, revision } = deps.buildInfo;
  const buildInfo = { version, revision, branch: "", buildUser: "", buildDate: "", goVersion: "" };
  const status: QueryRoute = {
    methods: ["GET"],
    url: "/loki/api/v1/status/buildinfo",
    handler: async ({ reply }) => sendJson(reply, buildInfo),
  };
  const { server } = deps;
  if (!server) return [status];
  const level = { message: `Current log level is ${server.logLevel}` };
  return [
    status,
    {
      methods: ["GET"],
      url: "/config",
      handler: textHandler(server.configYaml),
      scope: "admin",
      ofProcess: true,
    },
    { methods: ["GET"], url: "/services", handler: textHandler(() => servicesText(server.services())) },
    { methods: ["GET"], url: "/log_level", handler: async ({ reply }) => sendJson(reply, level) },
  ];
}

function textHandler(text: () => string): QueryHandler {
  return async ({ reply }) => reply.type("text/plain; charset=utf-8").send(text());
}

function servicesText(services: ReadonlyMap<string, string>): string {
  return [...services].map(([name, state]) => `${name} => ${state}\n`).join("");
}
