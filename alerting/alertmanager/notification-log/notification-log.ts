import type { Journal } from "../journal/journal.ts";
import type { NotificationEntry } from "./notify-decision.ts";

/** Which integration of which receiver about which group. */
export type NotificationKey = Pick<NotificationEntry, "groupKey" | "receiver" | "integration">;

export type NotificationLogOptions = {
  readonly retentionMs: number;
  /** Called with what this process has written, to be told to replicas. */
  readonly onEntry?: (entry: NotificationEntry) => void;
};

/**
 * Who was told what last, so that nobody is told twice (nflog/nflog.go). An entry is durable before the notification counts as
 * done. Holds one entry per group and integration until it expires: after twice the repeat interval, `retentionMs` at most.
 */
export class NotificationLog {
  readonly #options: NotificationLogOptions;
  readonly #entries = new Map<string, NotificationEntry>();
  #journal: Journal<NotificationEntry> | undefined;

  constructor(options: NotificationLogOptions) {
    this.#options = options;
  }

  /** From now on entries are written to it. */
  keepIn(journal: Journal<NotificationEntry>): void {
    this.#journal = journal;
  }

  get entries(): readonly NotificationEntry[] {
    return [...this.#entries.values()];
  }

  find(key: NotificationKey): NotificationEntry | undefined {
    return this.#entries.get(nameOf(key));
  }

  /** Settles once it is durable. A younger entry, from a replica whose clock is ahead, stays. */
  async log(
    key: NotificationKey,
    told: Pick<NotificationEntry, "firing" | "resolved" | "memory">,
    repeatIntervalMs: number,
  ): Promise<void> {
    const timeMs = Date.now();
    const keptMs = Math.min(this.#options.retentionMs, 2 * repeatIntervalMs);
    const entry = { ...key, ...told, timeMs, expiresAtMs: timeMs + keptMs };
    if (!this.merge(entry)) return;
    this.#options.onEntry?.(entry);
    await this.#journal?.append(entry);
  }

  /** Takes an entry of a replica; settles once it is durable. */
  async receive(entry: NotificationEntry): Promise<void> {
    if (this.merge(entry)) await this.#journal?.append(entry);
  }

  /** True when it is newer than what was known. */
  merge(entry: NotificationEntry): boolean {
    if (entry.expiresAtMs < Date.now()) return false;
    const name = nameOf(entry);
    const known = this.#entries.get(name);
    if (known && known.timeMs >= entry.timeMs) return false;
    this.#entries.set(name, entry);
    return true;
  }

  collectGarbage(nowMs: number): void {
    for (const [name, entry] of this.#entries) if (entry.expiresAtMs <= nowMs) this.#entries.delete(name);
  }
}

function nameOf({ groupKey, receiver, integration }: NotificationKey): string {
  return JSON.stringify([groupKey, receiver, integration]);
}
