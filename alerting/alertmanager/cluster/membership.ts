import type { ClusterMember } from "./cluster-message.ts";

/** Who belongs to the cluster, as one replica sees it. */
export class Membership {
  readonly self: ClusterMember;
  readonly #deadAfterMs: number;
  readonly #others = new Map<string, { readonly member: ClusterMember; seenMs: number }>();

  /** One that was not heard of for `deadAfterMs` is out. */
  constructor(self: ClusterMember, deadAfterMs: number) {
    this.self = self;
    this.#deadAfterMs = deadAfterMs;
  }

  /** True when it was not alive before. */
  heardFrom(member: ClusterMember, nowMs: number): boolean {
    if (member.name === this.self.name) return false;
    const isNew = !this.#isAlive(member.name, nowMs);
    // One that was restarted has another name: if the old one kept its place, two would take themselves for the next.
    for (const [name, other] of this.#others) if (other.member.address === member.address) this.#others.delete(name);
    this.#others.set(member.name, { member, seenMs: nowMs });
    return isNew;
  }

  /** Somebody else says that it is there. True when nothing was known of it: it should be asked. */
  isUnknown({ name }: ClusterMember): boolean {
    return name !== this.self.name && !this.#others.has(name);
  }

  left(name: string): void {
    this.#others.delete(name);
  }

  /** Also those that do not answer at the moment. */
  get others(): readonly ClusterMember[] {
    return [...this.#others.values()].map(({ member }) => member);
  }

  /** Itself included, by name. */
  alive(nowMs: number): readonly ClusterMember[] {
    const alive = this.others.filter(({ name }) => this.#isAlive(name, nowMs));
    return [this.self, ...alive].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Its place among those that are alive: the first one notifies first. */
  position(nowMs: number): number {
    return this.alive(nowMs).findIndex(({ name }) => name === this.self.name);
  }

  /** Forgets those that have been away for longer. */
  forget(awayMs: number, nowMs: number): void {
    for (const [name, { seenMs }] of this.#others) if (seenMs + awayMs < nowMs) this.#others.delete(name);
  }

  #isAlive(name: string, nowMs: number): boolean {
    const other = this.#others.get(name);
    return other !== undefined && other.seenMs + this.#deadAfterMs >= nowMs;
  }
}
