import { mkdir, open, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { TenantId } from "@sightline/model/tenant.ts";
import { decodeSlots, encodeSlots, type SavedSlots } from "./slots-codec.ts";

const EXTENSION = ".series";

/**
 * Remembers over restarts which series of each tenant are active: a file per tenant in a directory of its own. Without,
 * those that come first after a start would take the places of those that were there.
 */
export class ActiveSeriesFiles {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** By tenant. A file that is damaged or can't be read counts for nothing. */
  async load(): Promise<ReadonlyMap<string, SavedSlots>> {
    const files = await readdir(this.#dir).catch(() => []);
    const all = new Map<string, SavedSlots>();
    for (const file of files) {
      if (!file.endsWith(EXTENSION)) continue;
      const slots = await readFile(join(this.#dir, file)).then(decodeSlots, () => undefined);
      if (slots) all.set(file.slice(0, -EXTENSION.length), slots);
    }
    return all;
  }

  /** Replaces what is remembered of a tenant. */
  async save(tenant: TenantId, slots: SavedSlots): Promise<void> {
    await mkdir(this.#dir, { recursive: true });
    const path = join(this.#dir, `${tenant}${EXTENSION}`);
    const file = await open(`${path}.tmp`, "w");
    try {
      await file.writeFile(encodeSlots(slots));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.tmp`, path);
  }
}
