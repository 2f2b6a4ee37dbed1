import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { Registry } from "prom-client";
import type { Alert, LabelMap } from "../../alert.ts";
import { NotificationTemplates } from "../../templates/notification-templates.ts";
import { notifyConfig } from "../config.ts";
import { DEFAULT_GLOBAL_RECEIVER_CONFIG, type GlobalReceiverConfig } from "../global-receiver-config.ts";
import { TargetGuard } from "../http/target-guard.ts";
import type { Integration, NotifierContext } from "../integration.ts";
import type { Notification, NotificationMemory, Notifier } from "../notifier.ts";
import { NotifyMetrics } from "../notify-metrics.ts";

export const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
export const NEVER = new AbortController().signal;
export const GROUP_KEY = '{}/{severity="critical"}:{alertname="Down"}';
/** SHA-256 of {@link GROUP_KEY}. */
export const GROUP_HASH = "5b17125ac1dde0d3a072e2d47b4a3225b0506e46226e85860e7f8d29658c8b64";

export function testContext(overrides: Partial<NotifierContext> = {}): NotifierContext {
  return {
    templates: new NotificationTemplates([], { maxCharacters: 100_000, maxSteps: 100_000 }),
    externalUrl: "http://am.example",
    configDir: "/nowhere",
    config: notifyConfig.parse({ request_timeout_ms: 60_000 }),
    guard: new TargetGuard({ allowPrivateTargets: true, allowedHosts: [] }),
    metrics: new NotifyMetrics(new Registry()),
    logger: SILENT_LOGGER,
    ...overrides,
  };
}

/** What a configuration file says of a receiver's entry, made a notifier. */
export function notifierOf(
  integration: Integration,
  entry: unknown,
  context: NotifierContext = testContext(),
  global: GlobalReceiverConfig = DEFAULT_GLOBAL_RECEIVER_CONFIG,
): Notifier {
  return integration.create(integration.withGlobals(integration.schema.parse(entry), global), context);
}

/** Why an entry is refused: the first problem, or what is missing in the `global` section too. */
export function problemOf(integration: Integration, entry: unknown): string {
  const parsed = integration.schema.safeParse(entry);
  if (!parsed.success) return parsed.error.issues[0]?.message ?? "";
  try {
    integration.withGlobals(parsed.data, DEFAULT_GLOBAL_RECEIVER_CONFIG);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

export function alertOf(labels: LabelMap, overrides: Partial<Alert> = {}): Alert {
  return {
    labels: { alertname: "Down", severity: "critical", ...labels },
    annotations: { summary: "it is <down> & out" },
    startsAtMs: Date.UTC(2026, 0, 2, 3, 0, 0),
    endsAtMs: Date.UTC(2026, 0, 2, 4, 0, 0),
    updatedAtMs: NOW_MS,
    generatorUrl: "http://prom.example/graph?g0.expr=up",
    isTimeout: false,
    ...overrides,
  };
}

export const FIRING = alertOf({ job: "a" });
export const RESOLVED = alertOf({ job: "b" }, { endsAtMs: Date.UTC(2026, 0, 2, 3, 3, 0) });

export function notificationOf(
  alerts: readonly Alert[] = [FIRING],
  overrides: Partial<Notification> = {},
): Notification {
  return {
    receiver: "team-X",
    groupKey: GROUP_KEY,
    groupLabels: { alertname: "Down" },
    routeLabels: {},
    reason: "first notification",
    alerts,
    nowMs: NOW_MS,
    memory: new TestMemory(),
    ...overrides,
  };
}

export class TestMemory implements NotificationMemory {
  readonly kept = new Map<string, string>();
  get(name: string): string | undefined {
    return this.kept.get(name);
  }
  set(name: string, value: string): void {
    this.kept.set(name, value);
  }
}
