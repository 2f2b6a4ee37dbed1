import { type Context, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import type { LogRecordProcessor, ReadableLogRecord } from "@opentelemetry/sdk-logs";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace";
import type { MetricsAt } from "./metrics-request.ts";
import { endOfPlan, type PlannedSpan, ShopPlanner, shiftPlan } from "./plan.ts";
import { Random } from "./random.ts";
import { busyness } from "./rhythm.ts";
import { SERVICES, type ServiceName } from "./shop.ts";
import { SimulatedService } from "./simulated-service.ts";

export type ShopSimulationOptions = {
  readonly seed: number;
  /** Requests per second, on average over a working day. */
  readonly rate: number;
  readonly failing: ReadonlySet<ServiceName>;
  /** Where the simulation's clock starts: the start time of all counters. */
  readonly startMs: number;
};

/** The shop at work: makes telemetry for spans of time that it is told, and hands it over. */
export class ShopSimulation {
  readonly #services: ReadonlyMap<ServiceName, SimulatedService>;
  readonly #planner: ShopPlanner;
  readonly #random: Random;
  readonly #rate: number;
  readonly #startMs: number;
  #spans: ReadableSpan[] = [];
  #logs: ReadableLogRecord[] = [];
  #visits = 0;

  constructor({ seed, rate, failing, startMs }: ShopSimulationOptions) {
    // Streams of their own, so that tracing fewer requests leaves what happens in the shop as it is.
    this.#random = new Random(seed);
    this.#planner = new ShopPlanner(new Random(seed + 1), failing);
    const random = new Random(seed + 2);
    this.#rate = rate;
    this.#startMs = startMs;
    const spanProcessor: SpanProcessor = {
      onStart() {},
      onEnd: (span) => this.#spans.push(span),
      forceFlush: async () => {},
      shutdown: async () => {},
    };
    const logProcessor: LogRecordProcessor = {
      onEmit: (record) => this.#logs.push(record),
      forceFlush: async () => {},
      shutdown: async () => {},
    };
    const options = { random, spanProcessor, logProcessor };
    this.#services = new Map(SERVICES.map((name) => [name, new SimulatedService(name, options)]));
  }

  /** Visits so far. */
  get visits(): number {
    return this.#visits;
  }

  /**
   * Simulates what ends in `[fromMs, toMs)`: a share `traced` of the visits with spans and logs, all of them in the metrics.
   */
  run(fromMs: number, toMs: number, traced: number): void {
    const spanMs = toMs - fromMs;
    const count = this.#random.poisson(this.#rate * busyness(toMs) * (spanMs / 1_000));
    for (let i = 0; i < count; i++) {
      const endMs = fromMs + this.#random.next() * spanMs;
      const isTraced = this.#random.chance(traced);
      const visit = this.#planner.visit(0);
      this.#record(shiftPlan(visit, endMs - endOfPlan(visit)), isTraced ? ROOT_CONTEXT : undefined);
      this.#visits++;
    }
  }

  /** Without a context the span is only counted. */
  #record(planned: PlannedSpan, parent: Context | undefined): void {
    const service = this.#services.get(planned.service) as SimulatedService;
    const recorded = parent && service.record(planned, parent);
    service.measure(planned, recorded?.span);
    for (const child of planned.children) {
      this.#record(
        child,
        recorded && (child.service === planned.service ? recorded.context : remote(recorded.context)),
      );
    }
  }

  takeSpans(): ReadableSpan[] {
    const spans = this.#spans;
    this.#spans = [];
    return spans;
  }

  takeLogs(): ReadableLogRecord[] {
    const logs = this.#logs;
    this.#logs = [];
    return logs;
  }

  /** What every service has counted, as of `timeMs`. */
  async collect(timeMs: number): Promise<ReadonlyMap<ServiceName, MetricsAt>> {
    const collected = new Map<ServiceName, MetricsAt>();
    for (const [name, service] of this.#services) {
      collected.set(name, {
        collected: await service.collect(busyness(timeMs)),
        startMs: this.#startMs,
        timeMs,
      });
    }
    return collected;
  }
}

/** The context as it arrives in another process. */
function remote(context: Context): Context {
  const spanContext = trace.getSpanContext(context);
  return spanContext ? trace.setSpanContext(ROOT_CONTEXT, { ...spanContext, isRemote: true }) : ROOT_CONTEXT;
}
