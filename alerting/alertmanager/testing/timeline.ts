import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { Registry } from "prom-client";
import { isResolvedAt, type LabelMap } from "../../alert.ts";
import type { Notification, Notifier, NotifyResult } from "../../notify/notifier.ts";
import { AlertmanagerMetrics } from "../alertmanager-metrics.ts";
import { AlertStore } from "../alerts/alert-store.ts";
import { acceptAlert } from "../alerts/incoming-alert.ts";
import { readAlertmanagerConfig } from "../config/alertmanager-config.ts";
import { Dispatcher } from "../dispatch/dispatcher.ts";
import { routeTree } from "../dispatch/route.ts";
import { FlapDetector } from "../flapping/flap-detector.ts";
import type { FlapLimits, FlapRecord } from "../flapping/flap-record.ts";
import { FLAPPING_ANNOTATION } from "../flapping/told-alert.ts";
import type { Decision, DecisionSink } from "../history/decision.ts";
import { Inhibitor } from "../inhibition/inhibitor.ts";
import { labelMap } from "../labels.ts";
import { MatcherSyntax } from "../matchers/matcher-syntax.ts";
import { NotificationLog } from "../notification-log/notification-log.ts";
import { NotificationPipeline } from "../pipeline/notification-pipeline.ts";
import { Slots } from "../pipeline/slots.ts";
import { Silences } from "../silences/silences.ts";

/** When tests begin: their clock has to stand there. */
export const BEGIN_MS = Date.UTC(2026, 0, 5, 12);
const DAY_MS = 86_400_000;

export type TimelineOptions = {
  /** Moves the clock, and runs what is due. */
  readonly advance: (ms: number) => Promise<unknown>;
  /** That of the integrations. */
  readonly sendsResolved?: boolean;
  readonly log?: NotificationLog;
  readonly flapping?: FlapLimits;
  /** What was known of flapping before. */
  readonly flaps?: readonly FlapRecord[];
};

/** `2 webhook first notification: +a +b -c ~d`: seconds, whom, why, what fires, what is over and what flaps. */
export type Told = string;

/**
 * An Alertmanager on a clock that the test moves: no file, no network. Times are seconds from the beginning, a Monday at noon
 * in UTC. Alerts go by their label `a`.
 */
export class Timeline {
  readonly told: Told[] = [];
  readonly decisions: Decision[] = [];
  readonly silences: Silences;
  readonly log: NotificationLog;
  readonly flaps: FlapDetector | undefined;
  readonly #advance: TimelineOptions["advance"];
  readonly #syntax = new MatcherSyntax("fallback");
  readonly #store = new AlertStore({ maxAlerts: 1_000 });
  readonly #dispatcher: Dispatcher;
  readonly #inhibitor: Inhibitor;
  /** What a notifier answers; by default that it went well. */
  answer: (kind: string) => NotifyResult = () => ({ ok: true, detail: "200" });

  constructor(yaml: string, options: TimelineOptions) {
    this.#advance = options.advance;
    const config = readAlertmanagerConfig(yaml, {
      syntax: this.#syntax,
      integrationKeys: new Set(["webhook_configs"]),
    });
    this.silences = new Silences({ syntax: this.#syntax, retentionMs: DAY_MS, maxSilences: 0, maxSilenceBytes: 0 });
    this.log = options.log ?? new NotificationLog({ retentionMs: DAY_MS });
    this.#inhibitor = new Inhibitor(config.inhibitRules);
    const metrics = new AlertmanagerMetrics(new Registry());
    const decisions: DecisionSink = { record: (decision) => this.decisions.push(decision) };
    const limits = options.flapping;
    this.flaps = limits && new FlapDetector({ limits, maxAlerts: 1_000, metrics, decisions, logger: SILENT_LOGGER });
    for (const record of options.flaps ?? []) this.flaps?.replay(record);
    const notifier = (receiver: string): Notifier => ({
      kind: "webhook",
      sendsResolved: options.sendsResolved ?? true,
      notify: async (notification) => this.#notified(receiver, notification),
    });
    const pipeline = new NotificationPipeline({
      integrations: new Map(
        config.receivers.map(({ name }) => [name, [{ receiver: name, name: "webhook[0]", notifier: notifier(name) }]]),
      ),
      timeIntervals: config.timeIntervals,
      inhibitor: this.#inhibitor,
      silences: this.silences,
      log: this.log,
      flaps: this.flaps,
      replicas: { settled: async () => {}, waitMs: () => 0 },
      slots: new Slots(10),
      metrics,
      decisions,
      logger: SILENT_LOGGER,
      routeLabels: () => labelMap([]),
    });
    this.#dispatcher = new Dispatcher({
      root: routeTree(config.route),
      maxGroups: 100,
      notify: (flush) => pipeline.run(flush),
      extraTimeoutMs: () => 0,
      isHeld: (fingerprint, nowMs) => this.flaps?.flappingOf(fingerprint, nowMs) !== undefined,
      onSettled: () => {},
      onGrouped: () => {},
      onLimit: () => {},
    });
    this.#dispatcher.start();
  }

  /** Moves the clock to that second; everything that is due until then happens. */
  async at(second: number): Promise<void> {
    await this.#advance(BEGIN_MS + second * 1_000 - Date.now());
  }

  /** Posts an alert that fires from `start` to `end` (seconds; absent: now, and unknown). */
  push(labels: LabelMap, start?: number, end?: number): void {
    const time = (second: number | undefined) => (second === undefined ? undefined : BEGIN_MS + second * 1_000);
    const nowMs = Date.now();
    const alert = acceptAlert(
      { labels, annotations: {}, startsAtMs: time(start), endsAtMs: time(end), generatorUrl: "" },
      { nowMs, resolveTimeoutMs: 300_000, syntax: this.#syntax },
    );
    for (const { alert: stored, before } of this.#store.put([alert], nowMs).stored) {
      this.#inhibitor.observe(stored);
      this.flaps?.observe(stored, before, nowMs);
      this.#dispatcher.dispatch(stored);
    }
  }

  async silence(matcher: string, seconds: number): Promise<string> {
    const { name, op, value } = this.#syntax.matcher(matcher);
    const nowMs = Date.now();
    const times = { startsAtMs: nowMs, endsAtMs: nowMs + seconds * 1_000 };
    const texts = { id: "", createdBy: "me", comment: "", annotations: {} };
    return this.silences.set({ ...texts, ...times, matchers: [{ name, op, value }] });
  }

  stop(): void {
    this.#dispatcher.stop();
  }

  #notified(receiver: string, { reason, alerts, nowMs }: Notification): NotifyResult {
    const result = this.answer(receiver);
    const names = alerts.map((alert) => `${sign(alert, nowMs)}${alert.labels.a}`);
    const second = Math.round((Date.now() - BEGIN_MS) / 100) / 10;
    this.told.push(`${second} ${receiver} ${reason}: ${names.join(" ")}${result.ok ? "" : " (failed)"}`);
    return result;
  }
}

function sign(alert: Notification["alerts"][number], nowMs: number): string {
  if (alert.annotations[FLAPPING_ANNOTATION] !== undefined) return "~";
  return isResolvedAt(alert, nowMs) ? "-" : "+";
}
