import type { Logger } from "@sightline/model/logger.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { Counter, Gauge, type Registry } from "prom-client";
import type { AlertSink, PostedAlert } from "../alert-sink.ts";

export type AlertNotifierOptions = {
  readonly sinks: readonly AlertSink[];
  /** Alerts that wait for one sink; beyond it the oldest are dropped. */
  readonly queueCapacity: number;
  readonly logger: Logger;
  readonly registry?: Registry | undefined;
};

/** As Prometheus' notifier. */
const MAX_BATCH = 64;

/**
 * Hands alerts of rules to every sink, each at its own pace. What a sink does not take is not tried again: a rule says an
 * alert again after its resend delay as long as it fires, and for a while after it has ended.
 */
export class AlertNotifier {
  readonly #queues: readonly SinkQueue[];

  constructor(options: AlertNotifierOptions) {
    const counters = options.registry && new NotifierMetrics(options.registry, options, () => this.length);
    this.#queues = options.sinks.map((sink) => new SinkQueue(sink, options, counters));
  }

  get length(): number {
    return this.#queues.reduce((sum, queue) => sum + queue.length, 0);
  }

  notify(tenant: TenantId, alerts: readonly PostedAlert[]): void {
    for (const queue of this.#queues) queue.add(tenant, alerts);
  }

  /** Settles when everything that waits now was tried. */
  async drain(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.drain()));
  }
}

class NotifierMetrics {
  readonly sent: Counter<"alertmanager">;
  readonly errors: Counter<"alertmanager">;
  readonly dropped: Counter;

  constructor(registry: Registry, { sinks, queueCapacity }: AlertNotifierOptions, length: () => number) {
    const registers = [registry];
    const labelNames = ["alertmanager"] as const;
    const named = (name: string, help: string) => ({ name: `prometheus_notifications_${name}`, help, registers });
    this.sent = new Counter({ ...named("sent_total", "Total number of alerts sent."), labelNames });
    this.errors = new Counter({
      ...named("errors_total", "Total number of sent alerts affected by errors."),
      labelNames,
    });
    this.dropped = new Counter(
      named("dropped_total", "Total number of alerts dropped due to errors when sending to Alertmanager."),
    );
    const collecting = (value: () => number) => ({
      collect(this: Gauge) {
        this.set(value());
      },
    });
    new Gauge({ ...named("queue_length", "The number of alert notifications in the queue."), ...collecting(length) });
    new Gauge({
      ...named("queue_capacity", "The capacity of the alert notifications queue."),
      ...collecting(() => queueCapacity),
    });
    new Gauge({
      ...named("alertmanagers_discovered", "The number of alertmanagers discovered and active."),
      ...collecting(() => sinks.length),
    });
  }
}

type Waiting = { readonly tenant: TenantId; readonly alert: PostedAlert };

class SinkQueue {
  readonly #sink: AlertSink;
  readonly #options: AlertNotifierOptions;
  readonly #metrics: NotifierMetrics | undefined;
  #waiting: Waiting[] = [];
  #sending: Promise<void> | undefined;

  constructor(sink: AlertSink, options: AlertNotifierOptions, metrics: NotifierMetrics | undefined) {
    this.#sink = sink;
    this.#options = options;
    this.#metrics = metrics;
  }

  get length(): number {
    return this.#waiting.length;
  }

  add(tenant: TenantId, alerts: readonly PostedAlert[]): void {
    for (const alert of alerts) this.#waiting.push({ tenant, alert });
    const excess = this.#waiting.length - this.#options.queueCapacity;
    if (excess > 0) {
      this.#waiting.splice(0, excess);
      this.#metrics?.dropped.inc(excess);
      this.#options.logger.warn("alerts wait for longer than there is room, the oldest are dropped", {
        sink: this.#sink.name,
        dropped: excess,
        setting: "alerting.rules.notification_queue_capacity",
      });
    }
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  async drain(): Promise<void> {
    await this.#sending;
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const { tenant } = this.#waiting[0] as Waiting;
      let count = 1;
      while (count < MAX_BATCH && this.#waiting[count]?.tenant === tenant) count++;
      const alerts = this.#waiting.splice(0, count).map(({ alert }) => alert);
      await this.#send(tenant, alerts);
    }
  }

  async #send(tenant: TenantId, alerts: readonly PostedAlert[]): Promise<void> {
    const { name } = this.#sink;
    this.#metrics?.sent.inc({ alertmanager: name }, alerts.length);
    try {
      await this.#sink.post(tenant, alerts);
    } catch (error) {
      this.#metrics?.errors.inc({ alertmanager: name }, alerts.length);
      this.#metrics?.dropped.inc(alerts.length);
      this.#options.logger.error("alerts were not taken", { sink: name, tenant, count: alerts.length, error });
    }
  }
}
