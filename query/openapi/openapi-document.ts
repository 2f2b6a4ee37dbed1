import { z } from "zod";
import { LOKI_OPERATIONS, LOKI_PARAMETERS, type LokiOperation } from "./loki-operations.ts";
import { OPERATIONS, type Operation } from "./operations.ts";
import { PARAMETERS, type Parameter } from "./parameters.ts";
import { failure, success } from "./schemas.ts";

type Json = Readonly<Record<string, unknown>>;

const JSON_TYPE = "application/json";

/** The description of everything below `/api/v1`, and of Loki's API, as an OpenAPI 3.1 document. */
export function openapiDocument(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const operation of OPERATIONS) {
    const methods = operation.methods.map((method) => [method.toLowerCase(), operationJson(operation, method)]);
    paths[operation.path] = Object.fromEntries(methods);
  }
  for (const operation of LOKI_OPERATIONS) {
    const methods = operation.methods.map((method) => [method.toLowerCase(), lokiOperationJson(operation, method)]);
    paths[operation.path] = Object.fromEntries(methods);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Sightline: Prometheus and Loki API",
      description:
        "Prometheus' HTTP API over the metrics that are kept here, and Loki's over the logs: its paths are those of the " +
        "server. A POST takes its parameters as a form, too.",
      version,
    },
    servers: [{ url: "/api/v1" }],
    paths,
    components: { schemas: { Error: schemaJson(failure) } },
  };
}

/** Failures are plain text, as Loki's. */
function lokiOperationJson(operation: LokiOperation, method: string): Json {
  const { tag, summary } = operation;
  return {
    tags: [tag],
    summary,
    operationId: operationId(operation, method),
    servers: [{ url: "/" }],
    parameters: parametersJson(operation, LOKI_PARAMETERS),
    responses: { ...successJson(operation), default: { description: "A failure", content: { "text/plain": {} } } },
  };
}

function operationId({ path }: { readonly path: string }, method: string): string {
  return `${method.toLowerCase()}-${path.replaceAll(/[^a-z]+/g, "-").replace(/^-|-$/g, "")}`;
}

function operationJson(operation: Operation, method: string): Json {
  const { tag, summary } = operation;
  return {
    tags: [tag],
    summary,
    operationId: operationId(operation, method),
    parameters: parametersJson(operation, PARAMETERS),
    responses: {
      ...successJson(operation),
      default: {
        description: "A failure",
        content: { [JSON_TYPE]: { schema: { $ref: "#/components/schemas/Error" } } },
      },
    },
  };
}

type Parameters = Readonly<Record<string, Parameter>>;

function parametersJson({ path, parameters = [] }: Pick<Operation, "path" | "parameters">, known: Parameters): Json[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => parameterJson(name, "path", true, known));
  const inQuery = parameters.map((name) => parameterJson(name.replace(/!$/, ""), "query", name.endsWith("!"), known));
  return [...inPath, ...inQuery];
}

function parameterJson(name: string, where: "path" | "query", required: boolean, known: Parameters): Json {
  const parameter = known[name];
  if (!parameter) throw new Error(`parameter ${name} is not described`);
  return { name, in: where, required, ...parameter };
}

function successJson({ data, contentTypes = [] }: Pick<Operation, "data" | "contentTypes">): Json {
  if (data) return { 200: { description: "Success", content: { [JSON_TYPE]: { schema: schemaJson(success(data)) } } } };
  if (contentTypes.length === 0) return { 204: { description: "Success" } };
  const content = Object.fromEntries(contentTypes.map((type) => [type, {}]));
  return { 200: { description: "Success", content } };
}

function schemaJson(schema: z.ZodType): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: "input" });
  return json;
}
