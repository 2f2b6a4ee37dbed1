import { z } from "zod";
import { OPERATIONS, type Operation } from "./operations.ts";
import { PARAMETERS } from "./parameters.ts";
import { failure, success } from "./schemas.ts";

type Json = Readonly<Record<string, unknown>>;

const JSON_TYPE = "application/json";

/** The description of everything below `/api/v1`, as an OpenAPI 3.1 document. */
export function openapiDocument(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const operation of OPERATIONS) {
    const methods = operation.methods.map((method) => [method.toLowerCase(), operationJson(operation, method)]);
    paths[operation.path] = Object.fromEntries(methods);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Sightline: Prometheus API",
      description:
        "Prometheus' HTTP API over the metrics that are kept here. A POST takes its parameters as a form, too.",
      version,
    },
    servers: [{ url: "/api/v1" }],
    paths,
    components: { schemas: { Error: schemaJson(failure) } },
  };
}

function operationJson(operation: Operation, method: string): Json {
  const { path, tag, summary } = operation;
  const name = path.replaceAll(/[^a-z]+/g, "-").replace(/^-|-$/g, "");
  return {
    tags: [tag],
    summary,
    operationId: `${method.toLowerCase()}-${name}`,
    parameters: parametersJson(operation),
    responses: {
      ...successJson(operation),
      default: {
        description: "A failure",
        content: { [JSON_TYPE]: { schema: { $ref: "#/components/schemas/Error" } } },
      },
    },
  };
}

function parametersJson({ path, parameters = [] }: Operation): Json[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => parameterJson(name, "path", true));
  return [...inPath, ...parameters.map((name) => parameterJson(name.replace(/!$/, ""), "query", name.endsWith("!")))];
}

function parameterJson(name: string, where: "path" | "query", required: boolean): Json {
  const parameter = PARAMETERS[name];
  if (!parameter) throw new Error(`parameter ${name} is not described`);
  return { name, in: where, required, ...parameter };
}

function successJson({ data, contentTypes = [] }: Operation): Json {
  if (data) return { 200: { description: "Success", content: { [JSON_TYPE]: { schema: schemaJson(success(data)) } } } };
  if (contentTypes.length === 0) return { 204: { description: "Success" } };
  const content = Object.fromEntries(contentTypes.map((type) => [type, {}]));
  return { 200: { description: "Success", content } };
}

function schemaJson(schema: z.ZodType): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: "input" });
  return json;
}
