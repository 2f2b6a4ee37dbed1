import type { Notification, Notifier } from "../../notify/notifier.ts";

/** One way in which a receiver is told. */
export type Integration = {
  readonly receiver: string;
  /** `webhook[0]`: kind, and place among those of its kind. */
  readonly name: string;
  readonly notifier: Notifier;
  /** What its templates make of a notification, by the names of their settings. Does not throw. */
  readonly preview?: (notification: Notification) => Readonly<Record<string, string>>;
};
