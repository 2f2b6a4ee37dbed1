import type { Notifier } from "../../notify/notifier.ts";

/** One way in which a receiver is told. */
export type Integration = {
  readonly receiver: string;
  /** `webhook[0]`: kind, and place among those of its kind. */
  readonly name: string;
  readonly notifier: Notifier;
};
