import { randomUUID } from "node:crypto";
import { LimitError, NotFoundError } from "@sightline/model/errors.ts";
import type { LabelMap } from "../../alert.ts";
import type { Journal } from "../journal/journal.ts";
import { type LabelMatcher, labelMatcher, matchesAll } from "../matchers/label-matcher.ts";
import type { MatcherSyntax } from "../matchers/matcher-syntax.ts";
import { assertSilence, canUpdate, type Silence, silenceState } from "./silence.ts";

export type SilencesOptions = {
  readonly syntax: MatcherSyntax;
  /** So long one is kept after its end. */
  readonly retentionMs: number;
  /** Those that are over count; 0: no limit. */
  readonly maxSilences: number;
  /** As JSON, of one; 0: no limit. */
  readonly maxSilenceBytes: number;
  /** Called with what this process has changed, to be told to replicas. */
  readonly onSilence?: (silence: Silence) => void;
};

/** What is silenced, by whom, until when (silence/silence.go). A change is durable when its call settles. */
export class Silences {
  readonly #options: SilencesOptions;
  readonly #byId = new Map<string, { silence: Silence; readonly matchers: readonly LabelMatcher[] }>();
  /** Ids in the order in which they were first known. An id never changes its matchers. */
  #order: string[] = [];
  /** Grows when ids leave `#order`: what was found in it before means nothing then. */
  #generation = 0;
  /** By fingerprint: the ids whose matchers match, among the first so many of `#order`. */
  readonly #matching = new Map<string, { generation: number; looked: number; ids: string[] }>();
  #journal: Journal<Silence> | undefined;

  constructor(options: SilencesOptions) {
    this.#options = options;
  }

  /** From now on silences are written to it. */
  keepIn(journal: Journal<Silence>): void {
    this.#journal = journal;
  }

  get all(): readonly Silence[] {
    return [...this.#byId.values()].map(({ silence }) => silence);
  }

  find(id: string): Silence | undefined {
    return this.#byId.get(id)?.silence;
  }

  /**
   * Creates one (`id` empty) or changes it: in place where that does not alter what was silenced when, otherwise the old one
   * ends and a new one begins. Gives the id. Throws `InvalidInputError`, `NotFoundError`, `LimitError`.
   */
  async set(wanted: Omit<Silence, "updatedAtMs">): Promise<string> {
    const nowMs = Date.now();
    const known = this.find(wanted.id);
    const next = { ...wanted, updatedAtMs: updateTime(known, nowMs) };
    assertSilence(next, this.#options.syntax);
    if (next.id !== "" && !known) throw new NotFoundError("silence not found");
    if (known && canUpdate(known, next, nowMs)) {
      this.#assertSize(next);
      await this.#keep(next);
      return next.id;
    }
    this.#assertRoom();
    const created = { ...next, id: randomUUID(), startsAtMs: Math.max(next.startsAtMs, nowMs) };
    this.#assertSize(created);
    const ended = known && silenceState(known, nowMs) !== "expired" ? [endedAt(known, nowMs)] : [];
    await this.#keep(...ended, created);
    return created.id;
  }

  /** Ends it now. Of one that is over already nothing changes. Throws `NotFoundError`. */
  async expire(id: string): Promise<void> {
    const known = this.find(id);
    if (!known) throw new NotFoundError("silence not found");
    const nowMs = Date.now();
    if (silenceState(known, nowMs) !== "expired") await this.#keep(endedAt(known, nowMs));
  }

  /** Takes what a replica knows; settles once it is durable. */
  async receive(silence: Silence): Promise<void> {
    if (this.merge(silence)) await this.#journal?.append(silence);
  }

  /** True when it is newer than what was known. */
  merge(silence: Silence): boolean {
    if (silence.endsAtMs + this.#options.retentionMs < Date.now()) return false;
    const known = this.#byId.get(silence.id);
    if (known && known.silence.updatedAtMs >= silence.updatedAtMs) return false;
    if (known) known.silence = silence;
    else {
      const matchers = silence.matchers.map(({ name, op, value }) => labelMatcher(name, op, value));
      this.#byId.set(silence.id, { silence, matchers });
      this.#order.push(silence.id);
    }
    return true;
  }

  /** Ids of those that hold back the alert now, in order. */
  silencesOf(fingerprint: string, labels: LabelMap, nowMs: number): readonly string[] {
    if (this.#order.length === 0) return [];
    return this.#matchingIds(fingerprint, labels).filter((id) => {
      const silence = this.find(id);
      return silence && silenceState(silence, nowMs) === "active";
    });
  }

  /** The alert is gone: nothing about it need be remembered. */
  forgetAlert(fingerprint: string): void {
    this.#matching.delete(fingerprint);
  }

  collectGarbage(nowMs: number): void {
    const before = this.#byId.size;
    for (const [id, { silence }] of this.#byId) {
      if (silence.endsAtMs + this.#options.retentionMs <= nowMs) this.#byId.delete(id);
    }
    if (this.#byId.size === before) return;
    this.#order = this.#order.filter((id) => this.#byId.has(id));
    this.#generation++;
  }

  /** Each silence is looked at once per alert: with many of both that is what costs. */
  #matchingIds(fingerprint: string, labels: LabelMap): readonly string[] {
    let known = this.#matching.get(fingerprint);
    if (!known || known.generation !== this.#generation) {
      known = { generation: this.#generation, looked: 0, ids: [] };
      this.#matching.set(fingerprint, known);
    }
    for (; known.looked < this.#order.length; known.looked++) {
      const id = this.#order[known.looked] as string;
      if (matchesAll(this.#byId.get(id)?.matchers ?? [], labels)) known.ids.push(id);
    }
    return known.ids;
  }

  async #keep(...silences: readonly Silence[]): Promise<void> {
    // First for good, then in effect: nobody is told of a silence that a crash would take back.
    await this.#journal?.append(...silences);
    for (const silence of silences) {
      if (this.merge(silence)) this.#options.onSilence?.(silence);
    }
  }

  #assertRoom(): void {
    const { maxSilences } = this.#options;
    if (maxSilences > 0 && this.#byId.size + 1 > maxSilences) {
      throw new LimitError(`exceeded maximum number of silences: ${this.#byId.size} (limit: ${maxSilences})`);
    }
  }

  #assertSize(silence: Silence): void {
    const { maxSilenceBytes } = this.#options;
    const bytes = Buffer.byteLength(JSON.stringify(silence));
    if (maxSilenceBytes > 0 && bytes > maxSilenceBytes) {
      throw new LimitError(`silence exceeded maximum size: ${bytes} bytes (limit: ${maxSilenceBytes} bytes)`);
    }
  }
}

function endedAt(silence: Silence, nowMs: number): Silence {
  // One that has not begun never does.
  const startsAtMs = Math.min(silence.startsAtMs, nowMs);
  return { ...silence, startsAtMs, endsAtMs: nowMs, updatedAtMs: updateTime(silence, nowMs) };
}

/** Of two versions the younger counts: one of the same millisecond would be lost. */
function updateTime(known: Silence | undefined, nowMs: number): number {
  return known ? Math.max(nowMs, known.updatedAtMs + 1) : nowMs;
}
