import { InvalidInputError } from "@sightline/model/errors.ts";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Registry } from "prom-client";
import type { DependencyStatus } from "./dependencies/dependency-monitor.ts";

export type OperationsDeps = {
  readonly registry: Registry;
  readonly dependencies: () => readonly DependencyStatus[];
  /** Throws to refuse who asks for the state of dependencies. */
  readonly checkStatus: (request: FastifyRequest) => void;
  /** Reads rules and the Alertmanager's configuration again. Throws `InvalidInputError`. */
  readonly reload?: () => Promise<void>;
  /** Throws to refuse who asks for that. */
  readonly checkReload?: (request: FastifyRequest) => void;
  /** undefined when traffic is accepted, otherwise what is being waited for. */
  readonly notReady: () => string | undefined;
  readonly version: string;
  /** Throws to refuse who asks for `/metrics`; everything else here is open to whoever reaches the address. */
  readonly checkMetrics: (request: FastifyRequest) => void;
};

/** `/-/healthy`, `/-/ready`, `/-/reload`, `/metrics`, `/api/v1/status/dependencies`, and a first page that says where things are. */
export function registerOperations(app: FastifyInstance, deps: OperationsDeps): void {
  app.get("/-/healthy", async (_request, reply) =>
    reply.type("text/plain; charset=utf-8").send("Sightline is Healthy.\n"),
  );
  const ready = async () => deps.notReady();
  for (const path of ["/-/ready", "/ready"]) {
    app.get(path, async (_request, reply) => {
      const reason = await ready();
      reply.type("text/plain; charset=utf-8");
      return reason === undefined
        ? reply.send(`Sightline is Ready.\n${deps.dependencies().filter(isDown).map(lineOf).join("")}`)
        : reply.code(503).send(`Service Unavailable: ${reason}\n`);
    });
  }
  app.get("/api/v1/status/dependencies", async (request, reply) => {
    deps.checkStatus(request);
    return reply.send({ status: "success", data: { dependencies: deps.dependencies().map(jsonOf) } });
  });
  app.route({
    method: ["POST", "PUT"],
    url: "/-/reload",
    handler: async (request, reply) => {
      deps.checkReload?.(request);
      reply.type("text/plain; charset=utf-8");
      try {
        await deps.reload?.();
        return reply.send("");
      } catch (error) {
        if (!(error instanceof InvalidInputError)) throw error;
        return reply.code(500).send(`failed to reload config: ${error.message}\n`);
      }
    },
  });
  app.get("/metrics", async (request, reply) => {
    deps.checkMetrics(request);
    return reply.type(deps.registry.contentType).send(await deps.registry.metrics());
  });
  app.get("/", async (_request, reply) => reply.type("text/plain; charset=utf-8").send(frontPage(deps.version)));
}

/** What is down is no reason to send nobody here: other processes have the same databases, and the rest goes on. */
function isDown({ state }: DependencyStatus): boolean {
  return state === "down";
}

function lineOf({ name, purpose, sinceMs }: DependencyStatus): string {
  return `${name} (${purpose}) does not answer since ${new Date(sinceMs).toISOString()}\n`;
}

function jsonOf({ name, purpose, state, sinceMs, answeredAtMs, latencyMs, error }: DependencyStatus): object {
  return {
    name,
    purpose,
    state,
    since: new Date(sinceMs).toISOString(),
    ...(answeredAtMs !== undefined && { lastAnswer: new Date(answeredAtMs).toISOString() }),
    ...(latencyMs !== undefined && { latencySeconds: latencyMs / 1_000 }),
    ...(error !== undefined && { error }),
  };
}

function frontPage(version: string): string {
  return `Sightline ${version}

Send    OTLP/gRPC on port 4317, OTLP/HTTP on 4318 or here at /v1/metrics, /v1/logs, /v1/traces
        Prometheus remote write 1.0 and 2.0 at /api/v1/write
Ask     Prometheus API at /api/v1/…        (Grafana: Prometheus data source, this URL)
        Loki API at /loki/api/v1/…         (Grafana: Loki data source, this URL)
        Tempo API at /tempo/api/…          (Grafana: Tempo data source, this URL + /tempo)
        Jaeger API at /jaeger/api/…        (Grafana: Jaeger data source, this URL + /jaeger)
Operate /-/healthy /-/ready /metrics
`;
}
