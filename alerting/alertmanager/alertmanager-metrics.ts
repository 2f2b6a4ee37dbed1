import { Counter, Gauge, Histogram, type Registry } from "prom-client";

const LATENCY_BUCKETS_S = [1, 5, 10, 15, 20];

/** Under the names of Alertmanager, whose dashboards and alerts ask for them; sums over all tenants. */
export class AlertmanagerMetrics {
  readonly #received;
  readonly #invalid;
  readonly #limited;
  readonly #notifications;
  readonly #failed;
  readonly #requests;
  readonly #requestsFailed;
  readonly #suppressed;
  readonly #latency;
  readonly #reloadOk;
  readonly #reloadTime;
  readonly #groupLimit;
  readonly #flapChanges;
  readonly #flapUncounted;

  constructor(registry: Registry) {
    const registers = [registry];
    const counter = <T extends string>(name: string, help: string, labelNames: readonly T[]) =>
      new Counter({ name: `alertmanager_${name}`, help, labelNames: [...labelNames], registers });
    this.#received = counter("alerts_received_total", "The total number of received alerts.", ["status", "version"]);
    this.#invalid = counter("alerts_invalid_total", "The total number of received alerts that were invalid.", [
      "version",
    ]);
    this.#limited = counter(
      "alerts_limited_total",
      "Alerts that were refused because there were alerting.alertmanager.max_alerts.",
      [],
    );
    this.#groupLimit = counter(
      "dispatcher_aggregation_group_limit_reached_total",
      "Alerts that came into no group because there were alerting.alertmanager.max_groups.",
      [],
    );
    this.#flapChanges = new Counter({
      name: "sightline_alertmanager_flapping_changes_held_total",
      help: "Changes between firing and resolved that nobody was told of, because the alerts flap.",
      registers,
    });
    this.#flapUncounted = new Counter({
      name: "sightline_alertmanager_flapping_uncounted_total",
      help: "Changes that were not counted, because those of alerting.alertmanager.max_alerts alerts were.",
      registers,
    });
    this.#notifications = counter("notifications_total", "The total number of attempted notifications.", [
      "integration",
    ]);
    this.#failed = counter("notifications_failed_total", "The total number of failed notifications.", [
      "integration",
      "reason",
    ]);
    this.#requests = counter("notification_requests_total", "The total number of attempted notification requests.", [
      "integration",
    ]);
    this.#requestsFailed = counter(
      "notification_requests_failed_total",
      "The total number of failed notification requests.",
      ["integration"],
    );
    this.#suppressed = counter(
      "notifications_suppressed_total",
      "Notifications suppressed for being silenced, inhibited, outside of active or within mute time intervals.",
      ["reason"],
    );
    this.#latency = new Histogram({
      name: "alertmanager_notification_latency_seconds",
      help: "The latency of notifications in seconds.",
      labelNames: ["integration"],
      buckets: LATENCY_BUCKETS_S,
      registers,
    });
    this.#reloadOk = new Gauge({
      name: "alertmanager_config_last_reload_successful",
      help: "Whether the last configuration reload attempt was successful.",
      registers,
    });
    this.#reloadTime = new Gauge({
      name: "alertmanager_config_last_reload_success_timestamp_seconds",
      help: "Timestamp of the last successful configuration reload.",
      registers,
    });
  }

  /** Kinds of integrations that exist, so that they are there with 0. */
  initialise(kinds: Iterable<string>): void {
    for (const integration of kinds) {
      for (const metric of [this.#notifications, this.#requests, this.#requestsFailed]) metric.inc({ integration }, 0);
      for (const reason of ["contextDeadlineExceeded", "other"]) this.#failed.inc({ integration, reason }, 0);
    }
  }

  received(status: "firing" | "resolved", count: number): void {
    this.#received.inc({ status, version: "v2" }, count);
  }

  invalid(count: number): void {
    this.#invalid.inc({ version: "v2" }, count);
  }

  limited(count: number): void {
    this.#limited.inc(count);
  }

  groupLimitReached(): void {
    this.#groupLimit.inc();
  }

  flapChangeHeld(): void {
    this.#flapChanges.inc();
  }

  flapUncounted(): void {
    this.#flapUncounted.inc();
  }

  suppressed(reason: string, count: number): void {
    if (count > 0) this.#suppressed.inc({ reason }, count);
  }

  notificationStarted(integration: string): void {
    this.#notifications.inc({ integration });
  }

  notificationFailed(integration: string, reason: string): void {
    this.#failed.inc({ integration, reason });
  }

  attempted(integration: string, ok: boolean, seconds: number): void {
    this.#requests.inc({ integration });
    if (!ok) this.#requestsFailed.inc({ integration });
    this.#latency.observe({ integration }, seconds);
  }

  reloaded(ok: boolean): void {
    this.#reloadOk.set(ok ? 1 : 0);
    if (ok) this.#reloadTime.set(Date.now() / 1_000);
  }
}
