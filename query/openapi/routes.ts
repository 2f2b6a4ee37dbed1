import type { FastifyInstance } from "fastify";
import { type QueryApiDeps, registerQueryApi } from "../http/query-api.ts";
import { sendPrometheusFailure } from "../prometheus-api/error-response.ts";
import { openapiDocument } from "./openapi-document.ts";
import { yamlText } from "./yaml-text.ts";

/** `/api/v1/openapi.yaml` */
export function registerOpenapi(app: FastifyInstance, deps: QueryApiDeps): void {
  const body = Buffer.from(yamlText(openapiDocument(deps.buildInfo.version)).trimStart());
  registerQueryApi(app, deps, sendPrometheusFailure, [
    {
      methods: ["GET"],
      url: "/api/v1/openapi.yaml",
      handler: async ({ reply }) => reply.header("content-type", "application/yaml; charset=utf-8").send(body),
    },
  ]);
}
