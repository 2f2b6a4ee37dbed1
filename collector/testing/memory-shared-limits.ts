import { UnavailableError } from "@sightline/model/errors.ts";
import type { Candidacy, Elected, PlaceClaim, SharedLimits } from "@sightline/model/shared-state.ts";

/** What collectors of one test limit together, by a clock that the test sets; away when it is told so. */
export class MemorySharedLimits implements SharedLimits {
  nowMs = 0;
  isAway = false;
  #elected = new Map<string, { readonly name: string; readonly untilMs: number }>();
  #places = new Map<string, Map<number, number>>();
  #counts = new Map<string, Map<string, number>>();

  /** As after a restart. */
  forget(): void {
    this.#elected = new Map();
    this.#places = new Map();
    this.#counts = new Map();
  }

  async elect(candidacies: readonly Candidacy[]): Promise<readonly Elected[]> {
    this.#assertThere();
    return candidacies.map(({ office, candidate, ttlMs, incumbent }) => {
      const known = this.#elected.get(office);
      let elected = known && known.untilMs > this.nowMs ? known : undefined;
      if (!elected && incumbent && incumbent.ttlMs > 0) {
        elected = { name: incumbent.name, untilMs: this.nowMs + incumbent.ttlMs };
      }
      if (!elected || elected.name === candidate) elected = { name: candidate, untilMs: this.nowMs + ttlMs };
      this.#elected.set(office, elected);
      return { name: elected.name, ttlMs: elected.untilMs - this.nowMs };
    });
  }

  async claim({ list, maxPlaces, maxPerGroup, ttlMs, groups }: PlaceClaim): Promise<readonly (readonly boolean[])[]> {
    this.#assertThere();
    return groups.map(({ name, members }) => {
      const bounds = [
        { places: this.#placesOf(list, ttlMs), max: maxPlaces },
        { places: this.#placesOf(`${list} ${name}`, ttlMs), max: maxPerGroup },
      ].filter(({ max }) => max > 0);
      return members.map((member) => {
        const has = bounds.every(({ places, max }) => places.has(member) || places.size < max);
        if (has) for (const { places } of bounds) places.set(member, this.nowMs);
        return has;
      });
    });
  }

  async count(list: string, added: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, number>> {
    this.#assertThere();
    const counts = this.#counts.get(list) ?? new Map<string, number>();
    this.#counts.set(list, counts);
    for (const [name, more] of added) counts.set(name, (counts.get(name) ?? 0) + more);
    return new Map(Array.from(added.keys(), (name) => [name, counts.get(name) ?? 0]));
  }

  #placesOf(name: string, ttlMs: number): Map<number, number> {
    const places = this.#places.get(name) ?? new Map<number, number>();
    this.#places.set(name, places);
    for (const [member, claimedMs] of places) if (this.nowMs - claimedMs > ttlMs) places.delete(member);
    return places;
  }

  #assertThere(): void {
    if (this.isAway) throw new UnavailableError("away", { retryAfterMs: 1 });
  }
}
