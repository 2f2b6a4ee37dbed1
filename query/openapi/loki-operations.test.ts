import fastify from "fastify";
import { expect, test } from "vitest";
import { TEST_DEPS } from "../http/test-app.ts";
import { registerLokiPatterns } from "../log-patterns/loki-patterns.ts";
import { registerLokiApi } from "../loki-api/routes.ts";
import { openapiDocument } from "./openapi-document.ts";

type Operation = { readonly servers?: unknown };
type Document = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };
const { paths } = openapiDocument("1") as unknown as Document;

/** Those of the collector, which is not here. */
const ELSEWHERE = new Set(["/loki/api/v1/push", "/api/prom/push", "/otlp/v1/logs"]);
const REFUSED = new Set(["HEAD", "OPTIONS", "PATCH"]);

test("every endpoint of Loki's API is described, with the methods that it takes", async () => {
  const served = new Map<string, Set<string>>();
  const app = fastify();
  app.addHook("onRoute", ({ url, method }) => {
    const path = url.replace(":name", "{name}");
    // Methods that are answered with 405 are registered together, and later.
    if ([method].flat().includes("PATCH")) return;
    const known = served.get(path) ?? new Set();
    for (const name of [method].flat()) if (!REFUSED.has(name)) known.add(name.toLowerCase());
    served.set(path, known);
  });
  const never = {} as never;
  const server = { logRetention: "1d", logLevel: "info", configYaml: () => "", services: () => new Map() };
  const deletion = { store: never, audit: never };
  registerLokiApi(app, { ...TEST_DEPS, engine: never, store: never, feed: never, deletion, server });
  registerLokiPatterns(app, { ...TEST_DEPS, patterns: never, store: never });
  await app.ready();
  const described = Object.entries(paths)
    .filter(([path, methods]) => Object.values(methods)[0]?.servers && !ELSEWHERE.has(path))
    .map(([path, methods]) => `${path} ${Object.keys(methods).sort().join(" ")}`);
  expect(described.sort()).toEqual(
    [...served].map(([path, methods]) => `${path} ${[...methods].sort().join(" ")}`).sort(),
  );
  await app.close();
});
