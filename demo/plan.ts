import type { Random } from "./random.ts";
import {
  ENDPOINTS,
  type Endpoint,
  type EndpointName,
  type Measurement,
  type ServiceName,
  type Step,
  type Values,
  VISITS,
} from "./shop.ts";

export type PlannedLog = {
  readonly timeMs: number;
  readonly level: "DEBUG" | "INFO" | "WARN" | "ERROR";
  readonly body: string;
  readonly attributes: Values;
};

/** A span that is going to be made, with what its service says and counts meanwhile. Times are fractional ms. */
export type PlannedSpan = {
  readonly service: ServiceName;
  readonly kind: "server" | "client" | "producer" | "consumer";
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Values;
  /** What went wrong; "" for nothing. */
  readonly error: string;
  readonly logs: readonly PlannedLog[];
  readonly measurements: readonly Measurement[];
  readonly children: readonly PlannedSpan[];
};

const FAILING_ERROR_RATE = 0.35;
const FAILING_SLOWDOWN = 8;
const NETWORK_MS = 0.4;
const QUEUE_MS = 40;

/** Plans what happens in the shop when a customer comes: the same for the same random numbers. */
export class ShopPlanner {
  readonly #random: Random;
  readonly #failing: ReadonlySet<ServiceName>;

  /** Services in `failing` are slow and answer with errors; those that depend on them suffer. */
  constructor(random: Random, failing: ReadonlySet<ServiceName> = new Set()) {
    this.#random = random;
    this.#failing = failing;
  }

  /** One visit, with everything it causes; the root is the frontend's span. */
  visit(startMs: number): PlannedSpan {
    const total = VISITS.reduce((sum, [, weight]) => sum + weight, 0);
    let at = this.#random.next() * total;
    for (const [endpoint, weight] of VISITS) {
      at -= weight;
      if (at < 0) return this.#serve(endpoint, startMs, "server");
    }
    return this.#serve("home", startMs, "server");
  }

  #serve(name: EndpointName, startMs: number, kind: "server" | "consumer"): PlannedSpan {
    const endpoint = ENDPOINTS[name];
    const random = this.#random;
    const isFailing = this.#failing.has(endpoint.service);
    const ownMs = random.latencyMs(endpoint.medianMs) * (isFailing ? FAILING_SLOWDOWN : 1);
    const work = endpoint.work?.(random) ?? {};
    const children: PlannedSpan[] = [];
    const steps = expand(endpoint.steps);
    const failsItself = random.chance(isFailing ? FAILING_ERROR_RATE : endpoint.errorRate);
    const failsAfter = failsItself ? random.below(steps.length + 1) : steps.length;
    let now = startMs + 0.3 * ownMs;
    let error = "";
    for (const step of steps.slice(0, failsAfter)) {
      const child = this.#take(step, endpoint.service, now);
      children.push(child.span);
      now = child.resumeMs;
      if (child.span.error !== "" && !("optional" in step && step.optional)) {
        error = `${child.span.name} failed: ${child.span.error}`;
        break;
      }
    }
    let status = error === "" ? 200 : 502;
    if (error === "" && failsItself) {
      error = random.pick(["connection reset by peer", "deadline exceeded", "out of connections"]);
      status = 500;
    }
    const endMs = now + 0.7 * ownMs;
    const attributes: Values =
      kind === "consumer"
        ? {
            "messaging.system": "kafka",
            "messaging.destination.name": endpoint.route,
            "messaging.operation.type": "process",
            ...work.attributes,
          }
        : {
            "http.request.method": endpoint.method,
            "http.route": endpoint.route,
            "http.response.status_code": status,
            "url.scheme": "http",
            ...work.attributes,
          };
    return {
      service: endpoint.service,
      kind,
      name: kind === "consumer" ? `process ${endpoint.route}` : `${endpoint.method} ${endpoint.route}`,
      startMs,
      endMs,
      attributes,
      error,
      logs: logsOf(endpoint, { startMs, endMs, status, error, attributes, remarks: work.remarks ?? [] }),
      measurements: error === "" ? (work.measurements ?? []) : [],
      children,
    };
  }

  /** Does a step that starts at `startMs`; the caller goes on at `resumeMs`. */
  #take(step: Step, service: ServiceName, startMs: number): { span: PlannedSpan; resumeMs: number } {
    if ("database" in step) return this.#query(step, service, startMs);
    if ("publish" in step) return this.#publish(step, service, startMs);
    const callee = ENDPOINTS[step.call];
    const served = this.#serve(step.call, startMs + this.#random.latencyMs(NETWORK_MS), "server");
    const endMs = served.endMs + this.#random.latencyMs(NETWORK_MS);
    const span = outgoing(service, "client", callee.method, startMs, endMs, {
      error: served.error === "" ? "" : `status ${served.attributes["http.response.status_code"]}`,
      attributes: {
        "http.request.method": callee.method,
        "server.address": callee.service,
        "server.port": 8080,
        "http.response.status_code": served.attributes["http.response.status_code"] ?? 0,
      },
      children: [served],
    });
    return { span, resumeMs: endMs };
  }

  #query(step: Extract<Step, { database: string }>, service: ServiceName, startMs: number) {
    const endMs = startMs + this.#random.latencyMs(step.medianMs);
    const [operation = "", collection] = step.statement.split(" ");
    const span = outgoing(service, "client", step.statement, startMs, endMs, {
      attributes: {
        "db.system.name": step.database,
        "db.operation.name": operation,
        ...(collection === undefined ? {} : { "db.collection.name": collection }),
        "server.address": `${service}-${step.database}`,
      },
    });
    return { span, resumeMs: endMs };
  }

  #publish(step: Extract<Step, { publish: string }>, service: ServiceName, startMs: number) {
    const endMs = startMs + this.#random.latencyMs(2);
    const consumed = this.#serve(step.to, endMs + this.#random.latencyMs(QUEUE_MS), "consumer");
    const span = outgoing(service, "producer", `send ${step.publish}`, startMs, endMs, {
      attributes: {
        "messaging.system": "kafka",
        "messaging.destination.name": step.publish,
        "messaging.operation.type": "send",
      },
      children: [consumed],
    });
    return { span, resumeMs: endMs };
  }
}

function expand(steps: readonly Step[]): Step[] {
  return steps.flatMap((step) => ("times" in step ? Array.from({ length: step.times ?? 1 }, () => step) : [step]));
}

function outgoing(
  service: ServiceName,
  kind: "client" | "producer",
  name: string,
  startMs: number,
  endMs: number,
  more: { attributes: Values; error?: string; children?: readonly PlannedSpan[] },
): PlannedSpan {
  return { service, kind, name, startMs, endMs, error: "", logs: [], measurements: [], children: [], ...more };
}

function logsOf(
  endpoint: Endpoint,
  served: {
    startMs: number;
    endMs: number;
    status: number;
    error: string;
    attributes: Values;
    remarks: readonly Omit<PlannedLog, "timeMs">[];
  },
): PlannedLog[] {
  const { startMs, endMs, status, error } = served;
  const logs: PlannedLog[] = [];
  if (error === "") {
    for (const remark of served.remarks) logs.push({ timeMs: endMs, ...remark });
  } else {
    logs.push({
      timeMs: endMs,
      level: "ERROR",
      body: `${endpoint.method} ${endpoint.route}: ${error}`,
      attributes: { "exception.type": status === 502 ? "UpstreamError" : "ServiceError", "exception.message": error },
    });
  }
  const durationMs = Math.round((endMs - startMs) * 10) / 10;
  logs.push({
    timeMs: endMs,
    level: "INFO",
    body: `${endpoint.method} ${endpoint.route} ${status} ${durationMs}ms`,
    attributes: { ...served.attributes, duration_ms: durationMs },
  });
  return logs;
}

/** Calls `visit` for the span and everything below it. */
export function walkPlan(span: PlannedSpan, visit: (span: PlannedSpan) => void): void {
  visit(span);
  for (const child of span.children) walkPlan(child, visit);
}

/** When the last span of a plan is over: consumers work on after the customer has got the answer. */
export function endOfPlan(span: PlannedSpan): number {
  return span.children.reduce((end, child) => Math.max(end, endOfPlan(child)), span.endMs);
}

/** The same plan, earlier or later. */
export function shiftPlan(span: PlannedSpan, byMs: number): PlannedSpan {
  return {
    ...span,
    startMs: span.startMs + byMs,
    endMs: span.endMs + byMs,
    logs: span.logs.map((log) => ({ ...log, timeMs: log.timeMs + byMs })),
    children: span.children.map((child) => shiftPlan(child, byMs)),
  };
}
