import type { NotificationMemory, NotificationReason } from "../../notify/notifier.ts";
import type { NotificationEntry } from "./notify-decision.ts";

/** It is written with each notification of the group: names of messages are far shorter. */
const MAX_LENGTH = 1_024;
const MAX_NAMES = 16;

/**
 * What an integration keeps about a group, in its entry of the notification log (nflog.Store). With a first notification it
 * begins anew: what is over needs no update.
 */
export class EntryMemory implements NotificationMemory {
  readonly #kept: Map<string, string>;

  constructor(last: NotificationEntry | undefined, reason: NotificationReason) {
    this.#kept = new Map(reason === "first notification" ? [] : Object.entries(last?.memory ?? {}));
  }

  get(name: string): string | undefined {
    return this.#kept.get(name);
  }

  set(name: string, value: string): void {
    if (value.length <= MAX_LENGTH && (this.#kept.has(name) || this.#kept.size < MAX_NAMES))
      this.#kept.set(name, value);
  }

  /** For the entry; undefined when nothing is kept. */
  get record(): Readonly<Record<string, string>> | undefined {
    return this.#kept.size > 0 ? Object.fromEntries(this.#kept) : undefined;
  }
}
