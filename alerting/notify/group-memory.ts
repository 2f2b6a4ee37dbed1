import type { Notification, NotificationMemory } from "./notifier.ts";

const MAX_GROUPS = 10_000;

/**
 * Memories of an integration whose notifications bring none with them: they last as long as the process, for the groups
 * that were notified last.
 */
export class GroupMemories {
  readonly #groups = new Map<string, Map<string, string>>();

  of(notification: Notification): NotificationMemory {
    if (notification.memory) return notification.memory;
    const key = notification.groupKey;
    return {
      get: (name) => this.#groups.get(key)?.get(name),
      set: (name, value) => {
        const group = this.#groups.get(key) ?? new Map<string, string>();
        group.set(name, value);
        this.#groups.delete(key);
        this.#groups.set(key, group);
        if (this.#groups.size > MAX_GROUPS)
          for (const oldest of this.#groups.keys()) return void this.#groups.delete(oldest);
      },
    };
  }
}
