import type { IncomingMessage, Server } from "node:http";
import websocket from "@fastify/websocket";
import type { Principal } from "@sightline/model/access.ts";
import { InvalidInputError, TooManyRequestsError } from "@sightline/model/errors.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { Counter, Gauge } from "prom-client";
import { sendFailure } from "../http/failure.ts";
import { parseGoInt } from "../http/go-syntax.ts";
import { RequestParameters } from "../http/request-parameters.ts";
import type { LogExpr } from "../logql/ast.ts";
import { parseLogql } from "../logql/parse/parse-logql.ts";
import type { LogEntry } from "../logql/result.ts";
import { encodingFlags, wantsCategories } from "./encoding-flags.ts";
import { sendLokiFailure } from "./error-response.ts";
import type { LokiApiDeps } from "./loki-api-deps.ts";
import { readLimit, readRange } from "./parameters.ts";
import { pollTail } from "./poll-tail.ts";
import { TailLines } from "./tail-lines.ts";
import { TailSession, type TailSocket } from "./tail-session.ts";

const PATHS = ["/loki/api/v1/tail", "/loki/api/v2alpha/tail"] as const;
/** Clients say nothing. */
const MAX_PAYLOAD_BYTES = 4_096;
const MAX_DELAY_S = 5n;
/** The newest so many lines are looked at, each second, where they have to be asked for. */
const MAX_POLLED_LINES = 2_000;
/** Each costs work for every record that comes in. */
const MAX_TAILS_PER_TENANT = 100;
const INTERNAL_ERROR = 1011;
const POLICY_VIOLATION = 1008;
/** A key may be revoked, or expire, while its client tails. */
const REAUTHENTICATE_MS = 2_000;

type Tail = {
  readonly tenant: TenantId;
  readonly text: string;
  readonly expr: LogExpr;
  readonly lines: TailLines;
  readonly delayMs: number;
  readonly startNs: bigint;
  readonly limit: number;
  readonly categorize: boolean;
};
type WebSocket = TailSocket & { on(event: "close" | "error", listener: () => void): void };

/**
 * Tailing as in Loki (pkg/querier/tail): over a WebSocket, first the newest lines that are there, then those that come. Without a
 * feed, or while it lacks something, the store is asked for them each second.
 */
export function registerTail(app: FastifyInstance, deps: LokiApiDeps): void {
  // Otherwise every request that offers an upgrade, such as those of Java's client to HTTP/2, would lose its body.
  const server = app.server as Server & { shouldUpgradeCallback?: (request: IncomingMessage) => boolean };
  server.shouldUpgradeCallback = ({ headers }) => headers.upgrade?.toLowerCase() === "websocket";
  const tails = new WeakMap<FastifyRequest, Tail>();
  const counts = new Map<TenantId, number>();
  const dropped = droppedCounter(deps, counts);
  app.register(async (scope) => {
    await scope.register(websocket, { options: { maxPayload: MAX_PAYLOAD_BYTES } });
    scope.setErrorHandler((error, request, reply) => sendFailure(error, request, reply, deps.logger, sendLokiFailure));
    for (const url of PATHS) {
      scope.route({
        method: "GET",
        url,
        onRequest: async (request) => {
          const principal = deps.authenticator.authenticate(request.headers, "read", { peer: request.ip });
          tails.set(request, readTail(request, principal, deps));
          if ((counts.get(principal.tenant) ?? 0) < MAX_TAILS_PER_TENANT) return;
          throw new TooManyRequestsError(
            `max concurrent tail requests limit exceeded, count > limit (${MAX_TAILS_PER_TENANT})`,
            {
              retryAfterMs: 5_000,
            },
          );
        },
        handler: () => {
          throw new InvalidInputError("this is served over a WebSocket: send an upgrade");
        },
        wsHandler: (socket, request) => {
          const tail = tails.get(request) as Tail;
          const { tenant } = tail;
          counts.set(tenant, (counts.get(tenant) ?? 0) + 1);
          run(socket as unknown as WebSocket, tail, deps, {
            authenticate: () => deps.authenticator.authenticate(request.headers, "read", { peer: request.ip }),
            onDropped: (entries) => dropped?.inc(entries),
            onEnd: () => {
              const left = (counts.get(tenant) ?? 1) - 1;
              if (left === 0) counts.delete(tenant);
              else counts.set(tenant, left);
            },
          });
        },
      });
    }
  });
}

function droppedCounter({ registry }: LokiApiDeps, counts: ReadonlyMap<TenantId, number>): Counter | undefined {
  if (!registry) return undefined;
  new Gauge({
    name: "sightline_query_tails",
    help: "Clients that tail logs.",
    registers: [registry],
    collect() {
      this.set([...counts.values()].reduce((sum, count) => sum + count, 0));
    },
  });
  return new Counter({
    name: "sightline_query_tail_dropped_entries_total",
    help: "Log lines that a tailing client did not get, because it reads too slowly.",
    registers: [registry],
  });
}

/** Throws `ParseError` and `InvalidInputError` in Loki's words. */
function readTail(request: FastifyRequest, { tenant }: Principal, { config, nowMs = Date.now }: LokiApiDeps): Tail {
  const parameters = new RequestParameters(request);
  const text = parameters.get("query");
  const expr = parseLogql(text, config.logs.max_query_bytes);
  if (expr.kind !== "log") throw new InvalidInputError("only log selector is supported");
  const delay = parameters.get("delay_for");
  const delayS = delay === "" ? 0n : parseGoInt(delay);
  if (delayS === undefined || delayS < 0n)
    throw new InvalidInputError(
      delayS === undefined
        ? `strconv.Atoi: parsing ${JSON.stringify(delay)}: invalid syntax`
        : `delay_for value ${delayS} is out of range [0, 4294967295]`,
    );
  if (delayS > MAX_DELAY_S) throw new InvalidInputError(`delay_for can't be greater than ${MAX_DELAY_S}`);
  const categorize = wantsCategories(encodingFlags(request));
  return {
    tenant,
    text,
    expr,
    lines: new TailLines(expr, { maxTemplateCharacters: config.logs.max_template_chars, categorize }),
    delayMs: Number(delayS) * 1_000,
    startNs: readRange(parameters, nowMs()).startNs,
    limit: Math.min(readLimit(parameters), config.logs.max_limit),
    categorize,
  };
}

type Events = {
  /** Throws when the client may not tail any more. */
  readonly authenticate: () => unknown;
  readonly onDropped: (entries: number) => void;
  readonly onEnd: () => void;
};

function run(socket: WebSocket, tail: Tail, deps: LokiApiDeps, events: Events): void {
  const { tenant, lines, categorize, delayMs, startNs, limit, text } = tail;
  const { authenticate, onDropped, onEnd } = events;
  const session = new TailSession(socket, { lines, categorize, delayMs, onDropped });
  const { feed, nowMs = Date.now } = deps;
  const unsubscribe = feed?.subscribe(tenant, (batch) => session.take(batch));
  const abort = new AbortController();
  const reauthentication = setInterval(() => {
    try {
      authenticate();
    } catch (error) {
      socket.close(POLICY_VIOLATION, (error as Error).message.slice(0, 100));
      abort.abort();
      unsubscribe?.();
    }
  }, REAUTHENTICATE_MS);
  socket.on("error", () => socket.terminate());
  socket.on("close", () => {
    clearInterval(reauthentication);
    abort.abort();
    unsubscribe?.();
    session.stop();
    onEnd();
  });
  const { signal } = abort;
  const polledLines = Math.min(MAX_POLLED_LINES, deps.config.logs.max_limit);
  const newest = async (range: TimeRangeNs, limit: number): Promise<readonly LogEntry[]> => {
    const query = { ...range, limit, newestFirst: true, stepNs: 1_000_000_000n, intervalNs: 0n, tenant, signal };
    const { value } = await deps.gate.run(tenant, signal, () => deps.engine.range(text, query));
    return value.type === "streams" ? value.entries.toReversed() : [];
  };
  const follow = async () => {
    const beganMs = nowMs();
    const history = await newest({ startNs, endNs: BigInt(beganMs + 1) * 1_000_000n }, limit);
    session.begin(history);
    // What was too much for the history does not come later.
    const floorNs = history.length < limit ? startNs : (history[0]?.timeNs ?? BigInt(beganMs) * 1_000_000n);
    const look = async (range: TimeRangeNs) => session.takeStored(await newest(range, polledLines));
    const isFed = () => feed?.isWhole(tenant) ?? false;
    await pollTail({ isFed, sinceMs: beganMs, floorNs, look, nowMs, signal });
  };
  follow().catch((error: unknown) => {
    if (signal.aborted) return;
    deps.logger.warn("a tail could not go on", { error });
    socket.close(INTERNAL_ERROR, String((error as Error).message).slice(0, 100));
  });
}
