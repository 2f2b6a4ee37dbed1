import { createHash } from "node:crypto";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { InvalidInputError, TooManyRequestsError, UnavailableError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import { isResolvedAt } from "../alert.ts";
import type { AlertmanagerMetrics } from "./alertmanager-metrics.ts";
import { AlertStore } from "./alerts/alert-store.ts";
import { acceptAlert, type IncomingAlert } from "./alerts/incoming-alert.ts";
import type { KnownAlert } from "./alerts/known-alert.ts";
import { type AlertmanagerConfig, readAlertmanagerConfig } from "./config/alertmanager-config.ts";
import type { ConfigFiles } from "./config/config-files.ts";
import type { AlertGroup } from "./dispatch/alert-group.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { routeTree } from "./dispatch/route.ts";
import { FlapDetector } from "./flapping/flap-detector.ts";
import type { FlapLimits, FlapRecord } from "./flapping/flap-record.ts";
import type { DecisionSink } from "./history/decision.ts";
import { Inhibitor } from "./inhibition/inhibitor.ts";
import { FileJournal } from "./journal/file-journal.ts";
import type { MatcherSyntax } from "./matchers/matcher-syntax.ts";
import { NotificationLog } from "./notification-log/notification-log.ts";
import type { NotificationEntry } from "./notification-log/notify-decision.ts";
import { NotificationPipeline, type Replicas } from "./pipeline/notification-pipeline.ts";
import type { Slots } from "./pipeline/slots.ts";
import type { BuiltReceivers, ReceiverBuilder } from "./receiver-builder.ts";
import type { Silence } from "./silences/silence.ts";
import { Silences } from "./silences/silences.ts";

export type AlertmanagerLimits = {
  readonly maxAlerts: number;
  readonly maxGroups: number;
  readonly maxSilences: number;
  readonly maxSilenceBytes: number;
  readonly retentionMs: number;
  readonly dispatchDelayMs: number;
  /** Absent: alerts may change as often as they like. */
  readonly flapping?: FlapLimits | undefined;
};

/** What other replicas are told. */
export interface ReplicaFeed {
  silence(silence: Silence): void;
  notification(entry: NotificationEntry): void;
  alerts(alerts: readonly KnownAlert[]): void;
}

export type AlertmanagerOptions = {
  /** Its files are below. */
  readonly dir: string;
  readonly syntax: MatcherSyntax;
  readonly limits: AlertmanagerLimits;
  readonly receivers: ReceiverBuilder;
  readonly replicas: Replicas;
  readonly feed: ReplicaFeed;
  readonly slots: Slots;
  readonly metrics: AlertmanagerMetrics;
  readonly decisions: DecisionSink;
  readonly logger: Logger;
};

/** What one configuration has made. */
type Generation = {
  readonly config: AlertmanagerConfig;
  readonly receivers: BuiltReceivers;
  readonly inhibitor: Inhibitor;
  readonly dispatcher: Dispatcher;
  readonly hash: string;
};

const GARBAGE_INTERVAL_MS = 60_000;
const ALERTS_PER_TURN = 500;
const RETRY_AFTER_MS = 1_000;
/** Senders post an alert again within a minute or so of the start. */
const RESTART_GRACE_MS = 5 * 60_000;

/** An Alertmanager of one tenant: its alerts, silences and notification log outlive configurations and crashes. */
export class Alertmanager {
  readonly silences: Silences;
  readonly log: NotificationLog;
  readonly alerts: AlertStore;
  /** Absent when all changes are told. */
  readonly flaps: FlapDetector | undefined;
  readonly #options: AlertmanagerOptions;
  readonly #journals: readonly FileJournal<never>[];
  #generation: Generation | undefined;
  #garbage: NodeJS.Timeout | undefined;
  #start: NodeJS.Timeout | undefined;
  #startedMs = 0;
  readonly #retiring = new Set<Promise<void>>();
  #loading: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: AlertmanagerOptions) {
    this.#options = options;
    const { limits, syntax, feed, dir, logger } = options;
    this.silences = new Silences({ ...limits, syntax, onSilence: (silence) => feed.silence(silence) });
    this.log = new NotificationLog({ ...limits, onEntry: (entry) => feed.notification(entry) });
    this.flaps =
      limits.flapping && new FlapDetector({ ...options, maxAlerts: limits.maxAlerts, limits: limits.flapping });
    this.alerts = new AlertStore({
      maxAlerts: limits.maxAlerts,
      isHeld: (fingerprint, nowMs) => this.#isHeld(fingerprint, nowMs),
      onForgotten: (fingerprint) => this.silences.forgetAlert(fingerprint),
    });
    const silences = new FileJournal<Silence>({
      path: join(dir, "silences"),
      logger,
      replay: (silence) => void this.silences.merge(silence),
      snapshot: () => this.silences.all,
    });
    const notifications = new FileJournal<NotificationEntry>({
      path: join(dir, "notifications"),
      logger,
      replay: (entry) => void this.log.merge(entry),
      snapshot: () => this.log.entries,
    });
    const alerts = new FileJournal<Parameters<AlertStore["replay"]>[0]>({
      path: join(dir, "alerts"),
      logger,
      replay: (record) => this.alerts.replay(record),
      snapshot: () => this.alerts.records,
    });
    this.silences.keepIn(silences);
    this.log.keepIn(notifications);
    this.alerts.keepIn(alerts);
    const flaps = this.flaps && flapJournal(this.flaps, dir, logger);
    this.#journals = [
      silences,
      notifications,
      ...(flaps ? [flaps] : []),
      alerts,
    ] as unknown as readonly FileJournal<never>[];
  }

  /** Reads what was kept; nothing is notified before {@link load}. */
  async start(): Promise<void> {
    for (const journal of this.#journals) await journal.start();
    this.alerts.resume(Date.now(), RESTART_GRACE_MS);
    this.#startedMs = performance.now();
    this.#garbage = setInterval(() => this.#collectGarbage(), GARBAGE_INTERVAL_MS);
    this.#garbage.unref();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#garbage);
    clearTimeout(this.#start);
    if (this.#generation) this.#retire(this.#generation);
    await Promise.all(this.#retiring);
    for (const journal of this.#journals) await journal.stop();
  }

  /** The configuration in use. Throws `UnavailableError` before there is one. */
  get config(): AlertmanagerConfig {
    return this.#current.config;
  }

  get configHash(): string {
    return this.#current.hash;
  }

  get dispatcher(): Dispatcher {
    return this.#current.dispatcher;
  }

  get inhibitor(): Inhibitor {
    return this.#current.inhibitor;
  }

  get receivers(): BuiltReceivers {
    return this.#current.receivers;
  }

  get isConfigured(): boolean {
    return this.#generation !== undefined;
  }

  /**
   * Takes a configuration into use, after those of earlier calls. Throws `InvalidInputError` when it is wrong: what was in use
   * stays so.
   */
  load(text: string, files: ConfigFiles): Promise<void> {
    const loading = this.#loading.then(() => this.#load(text, files));
    this.#loading = loading.catch(() => {});
    return loading;
  }

  /** Throws what {@link load} would throw. */
  async check(text: string, files: ConfigFiles): Promise<void> {
    const { receivers } = await this.#read(text, files);
    await closeReceivers(receivers);
  }

  async #read(text: string, files: ConfigFiles) {
    const { syntax, receivers: builder } = this.#options;
    const config = readAlertmanagerConfig(text, { syntax, integrationKeys: builder.keys });
    return { config, receivers: await builder.build(config, files) };
  }

  async #load(text: string, files: ConfigFiles): Promise<void> {
    const { limits } = this.#options;
    const { config, receivers } = await this.#read(text, files);
    if (this.#isStopped) return closeReceivers(receivers);
    const inhibitor = new Inhibitor(config.inhibitRules);
    const pipeline = new NotificationPipeline({
      ...this.#options,
      ...receivers,
      timeIntervals: config.timeIntervals,
      inhibitor,
      silences: this.silences,
      log: this.log,
      flaps: this.flaps,
    });
    const dispatcher = new Dispatcher({
      root: routeTree(config.route),
      maxGroups: limits.maxGroups,
      notify: (flush) => pipeline.run(flush),
      extraTimeoutMs: () => this.#options.replicas.waitMs(),
      isHeld: (fingerprint, nowMs) => this.#isHeld(fingerprint, nowMs),
      onSettled: (fingerprints) => void this.#settle(fingerprints),
      onGrouped: (alert, group) => this.#recordGrouped(alert, group),
      onLimit: (alert, route) => this.#recordLimit(alert, route.receiver),
    });
    if (this.#generation) this.#retire(this.#generation);
    const hash = createHash("md5").update(text).digest("hex");
    this.#generation = { config, receivers, inhibitor, dispatcher, hash };
    // All sources of inhibition are known before the first target is notified.
    const alerts = this.alerts.unsettled;
    for (const alert of alerts) inhibitor.observe(alert);
    for (const alert of alerts) dispatcher.dispatch(alert);
    clearTimeout(this.#start);
    // From the start on, however often the configuration was read meanwhile.
    const waitMs = limits.dispatchDelayMs - (performance.now() - this.#startedMs);
    if (waitMs > 0) this.#start = setTimeout(() => dispatcher.start(), waitMs);
    else dispatcher.start();
  }

  /**
   * Takes alerts in; settles once they are durable. Those that are not valid are left out, and said so by `InvalidInputError`
   * after the others have been taken.
   */
  async post(incoming: readonly IncomingAlert[]): Promise<void> {
    const { resolveTimeoutMs } = this.config.global;
    const { metrics, syntax, feed } = this.#options;
    const errors: string[] = [];
    const writes: Promise<void>[] = [];
    let refused = 0;
    for (let i = 0; i < incoming.length; i += ALERTS_PER_TURN) {
      if (i > 0) await nextTurn();
      const nowMs = Date.now();
      const accepted: KnownAlert[] = [];
      for (const alert of incoming.slice(i, i + ALERTS_PER_TURN)) {
        try {
          accepted.push(acceptAlert(alert, { nowMs, resolveTimeoutMs, syntax }));
        } catch (error) {
          if (!(error instanceof InvalidInputError)) throw error;
          errors.push(error.message);
        }
      }
      const firing = accepted.filter((alert) => !isResolvedAt(alert, nowMs)).length;
      metrics.received("firing", firing);
      metrics.received("resolved", accepted.length - firing);
      const { durable, refused: left } = this.#take(accepted, nowMs);
      writes.push(durable);
      refused += left;
      feed.alerts(accepted);
    }
    metrics.invalid(errors.length);
    metrics.limited(refused);
    await Promise.all(writes);
    if (refused > 0) {
      throw new TooManyRequestsError(
        `${refused} alerts were refused: there are ${this.alerts.size} already (alerting.alertmanager.max_alerts)`,
        { retryAfterMs: RETRY_AFTER_MS },
      );
    }
    // What is wrong with thousands is said of the first ones.
    if (errors.length > 0) throw new InvalidInputError(errors.slice(0, 100).join("\n"));
  }

  /** Takes alerts that a replica has accepted. */
  async receive(alerts: readonly KnownAlert[]): Promise<void> {
    await this.#take(alerts, Date.now()).durable;
  }

  /** Takes what a replica has told of a group. */
  async receiveNotification(entry: NotificationEntry): Promise<void> {
    this.flaps?.adopt(entry, Date.now());
    await this.log.receive(entry);
  }

  /** Ends what is being sent, then gives up connections. */
  #retire({ dispatcher, receivers }: Generation): void {
    const retire = async () => {
      await dispatcher.stop();
      await closeReceivers(receivers);
    };
    const retiring = retire()
      .catch((error) => this.#options.logger.warn("connections to receivers could not be closed", { error }))
      .finally(() => this.#retiring.delete(retiring));
    this.#retiring.add(retiring);
  }

  get #current(): Generation {
    if (this.#generation) return this.#generation;
    throw new UnavailableError("the alertmanager has no configuration yet", { retryAfterMs: RETRY_AFTER_MS });
  }

  #take(alerts: readonly KnownAlert[], nowMs: number) {
    const { stored, refused, durable } = this.alerts.put(alerts, nowMs);
    const { inhibitor, dispatcher } = this.#current;
    for (const { alert } of stored) inhibitor.observe(alert);
    for (const { alert, before } of stored) {
      this.#recordState(alert, before, nowMs);
      this.flaps?.observe(alert, before, nowMs);
      dispatcher.dispatch(alert);
    }
    return { durable, refused };
  }

  async #settle(fingerprints: readonly string[]): Promise<void> {
    try {
      await this.alerts.settle(fingerprints, Date.now());
    } catch (error) {
      // After a crash they are notified once more.
      this.#options.logger.warn("that alerts were notified to be over could not be kept", { error });
    }
  }

  #isHeld(fingerprint: string, nowMs: number): boolean {
    return this.flaps?.flappingOf(fingerprint, nowMs) !== undefined;
  }

  #recordState(alert: KnownAlert, before: KnownAlert | undefined, nowMs: number): void {
    const isOver = isResolvedAt(alert, nowMs);
    const wasOver = before === undefined || isResolvedAt(before, nowMs);
    if (isOver === wasOver && before !== undefined) return;
    const { fingerprint, labels, annotations, startsAtMs, endsAtMs, generatorUrl } = alert;
    const times = { startsAt: new Date(startsAtMs).toISOString(), endsAt: new Date(endsAtMs).toISOString() };
    this.#options.decisions.record({
      atMs: nowMs,
      kind: isOver ? "resolved" : "firing",
      fingerprint,
      detail: { labels, annotations, ...times, generatorUrl },
    });
  }

  #recordGrouped({ fingerprint }: KnownAlert, { route, key }: AlertGroup): void {
    this.#options.decisions.record({
      atMs: Date.now(),
      kind: "grouped",
      fingerprint,
      groupKey: key,
      receiver: route.receiver,
      detail: { route: route.id },
    });
  }

  #recordLimit({ fingerprint }: KnownAlert, receiver: string): void {
    this.#options.metrics.groupLimitReached();
    const why = "there are as many groups as alerting.alertmanager.max_groups allows";
    this.#options.decisions.record({ atMs: Date.now(), kind: "dropped", fingerprint, receiver, detail: { why } });
  }

  #collectGarbage(): void {
    const nowMs = Date.now();
    this.alerts.collectGarbage(nowMs);
    this.flaps?.collectGarbage(nowMs);
    this.silences.collectGarbage(nowMs);
    this.log.collectGarbage(nowMs);
    this.#generation?.inhibitor.collectGarbage(nowMs);
  }
}

async function closeReceivers({ integrations }: BuiltReceivers): Promise<void> {
  await Promise.all([...integrations.values()].flat().map(({ notifier }) => notifier.close?.()));
}

function flapJournal(flaps: FlapDetector, dir: string, logger: Logger): FileJournal<FlapRecord> {
  const journal = new FileJournal<FlapRecord>({
    path: join(dir, "flapping"),
    logger,
    replay: (record) => flaps.replay(record),
    snapshot: () => flaps.records,
  });
  flaps.keepIn(journal);
  return journal;
}
