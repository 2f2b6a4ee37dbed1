import type { Alert, LabelMap } from "../alert.ts";

/** Why a group is notified now (Alertmanager's notification_reason). */
export type NotificationReason =
  | "first notification"
  | "new alerts added"
  | "some alerts resolved"
  | "all alerts resolved"
  | "repeat interval elapsed";

/** What one integration of one receiver is told at once about one group. */
export type Notification = {
  readonly receiver: string;
  /** `{}/{severity="page"}:{alertname="Down"}`: names the group over all notifications about it. */
  readonly groupKey: string;
  readonly groupLabels: LabelMap;
  /** Labels of the route that led here. */
  readonly routeLabels: LabelMap;
  readonly reason: NotificationReason;
  /** Firing and, where the integration wants them, resolved ones; sorted by labels; never empty. */
  readonly alerts: readonly Alert[];
  /** The time of this notification: it decides which alerts are resolved. */
  readonly nowMs: number;
  /** What the integration kept about the group at earlier notifications. */
  readonly memory: NotificationMemory;
};

/**
 * Few short texts that live as long as the group's entry of the notification log, per integration: which message to update.
 * What is set is kept only if the attempt succeeds (Alertmanager's nflog.Store).
 */
export interface NotificationMemory {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
}

/**
 * What came of an attempt. `retry` says that another one may succeed (a server's failure, a limit); otherwise the
 * notification is given up. `detail` is for operators: status and the beginning of the answer, never a secret.
 */
export type NotifyResult =
  | { readonly ok: true; readonly detail: string }
  | { readonly ok: false; readonly retry: boolean; readonly detail: string; readonly retryAfterMs?: number };

/** One entry of a receiver: sends one attempt. Retries, time limits over all attempts, and the log are the caller's. */
export interface Notifier {
  /** As in configurations without `_configs`: `webhook`, `slack`. */
  readonly kind: string;
  readonly sendsResolved: boolean;
  /** Does not throw for what the other side does; rejects when `signal` aborts. */
  notify(notification: Notification, signal: AbortSignal): Promise<NotifyResult>;
  /** Whether the files that it needs can be used now. Throws `InvalidInputError`. */
  check?(): Promise<void>;
  /** Gives up connections; no attempt may be under way. */
  close?(): Promise<void>;
}
