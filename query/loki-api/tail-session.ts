import type { Labels } from "@sightline/model/labels.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import { labelsJson } from "../http/labels-json.ts";
import type { LogEntry } from "../logql/result.ts";
import { StructuredMetadata } from "../logql/structured-metadata.ts";
import { encodeStreamsInOrder } from "./encode-result.ts";
import { ShownLines } from "./shown-lines.ts";
import type { TailLines } from "./tail-lines.ts";

/** What is used of a WebSocket. */
export type TailSocket = {
  readonly bufferedAmount: number;
  send(text: string): void;
  ping(): void;
  close(code: number, reason: string): void;
  terminate(): void;
};
export type TailOptions = {
  readonly lines: TailLines;
  readonly categorize: boolean;
  /** Lines wait so long, so that late ones come in their place. */
  readonly delayMs: number;
  readonly onDropped: (entries: number) => void;
};

const PUMP_MS = 100;
const PING_MS = 30_000;
/** A client that takes nothing for so long is gone. */
const MAX_STALL_MS = 60_000;
/** Sent, but not yet taken by the client. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** Waiting to be sent: of them the text is held, whatever else it belongs to. */
const MAX_WAITING_ROWS = 10_000;
const MAX_WAITING_CHARACTERS = 8 * 1024 * 1024;
const MAX_ENTRIES_PER_MESSAGE = 500;
const MAX_CHARACTERS_PER_MESSAGE = 512 * 1024;
/** As in Loki. */
const MAX_DROPPED_SHOWN = 1_000;

type Waiting = { readonly entry: LogEntry; readonly dueMs: number };
type Dropped = { readonly timeNs: bigint; readonly labels: Labels };

/**
 * Sends one client the lines of its query as they come in. A client that does not read in time loses lines, and is told
 * which: what waits for it is bounded.
 */
export class TailSession {
  readonly #socket: TailSocket;
  readonly #options: TailOptions;
  readonly #timers: NodeJS.Timeout[];
  #waiting: Waiting[] = [];
  #waitingCharacters = 0;
  #dropped: Dropped[] = [];
  readonly #shown = new ShownLines();
  #isStarted = false;
  #stalledSinceMs: number | undefined;

  constructor(socket: TailSocket, options: TailOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#timers = [setInterval(() => this.#pump(), PUMP_MS), setInterval(() => socket.ping(), PING_MS)];
    for (const timer of this.#timers) timer.unref();
  }

  /** Lines that were there before, ascending in time; from now on those that came since then are sent, too. */
  begin(history: readonly LogEntry[]): void {
    const before = this.#shown.newOf(history);
    this.#waiting = [...before.map((entry) => ({ entry, dueMs: Date.now() })), ...this.#waiting];
    for (const { line } of before) this.#waitingCharacters += line.length;
    this.#isStarted = true;
    this.#pump();
  }

  /** Takes what has just come in. */
  take(batch: LogBatch): void {
    const { lines } = this.#options;
    const rows = lines.rowsOf(batch);
    if (rows.length === 0) return;
    const metadata = new StructuredMetadata();
    for (const row of rows) {
      if (this.#isFull) {
        const { labels } = batch.streams[batch.streamRefs[row] as number] as LogStream;
        this.#drop({ timeNs: batch.timesNs[row] as bigint, labels });
        continue;
      }
      const entry = lines.entry(batch, row, metadata);
      if (entry && this.#shown.isNew(entry)) this.#wait(entry);
    }
  }

  /** Takes what the store has in a range of time, ascending; what was sent is not sent again. */
  takeStored(entries: readonly LogEntry[]): void {
    for (const entry of this.#shown.newOf(entries)) {
      if (this.#isFull) this.#drop({ timeNs: entry.timeNs, labels: entry.stream });
      else this.#wait(this.#options.lines.asTailed(entry));
    }
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#waiting = [];
    this.#dropped = [];
  }

  get #isFull(): boolean {
    return this.#waiting.length >= MAX_WAITING_ROWS || this.#waitingCharacters >= MAX_WAITING_CHARACTERS;
  }

  #wait(entry: LogEntry): void {
    this.#waiting.push({ entry, dueMs: Date.now() + this.#options.delayMs });
    this.#waitingCharacters += entry.line.length;
  }

  #drop(dropped: Dropped): void {
    this.#options.onDropped(1);
    if (this.#dropped.length < MAX_DROPPED_SHOWN) this.#dropped.push(dropped);
  }

  #pump(): void {
    if (!this.#isStarted) return;
    const nowMs = Date.now();
    while (this.#waiting.length > 0 && (this.#waiting[0] as Waiting).dueMs <= nowMs) {
      if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) {
        this.#stalledSinceMs ??= nowMs;
        if (nowMs - this.#stalledSinceMs > MAX_STALL_MS) this.#socket.terminate();
        return;
      }
      this.#stalledSinceMs = undefined;
      this.#socket.send(this.#message(nowMs));
    }
  }

  #message(nowMs: number): string {
    let count = 0;
    let characters = 0;
    for (const { entry, dueMs } of this.#waiting) {
      if (dueMs > nowMs || count >= MAX_ENTRIES_PER_MESSAGE || characters >= MAX_CHARACTERS_PER_MESSAGE) break;
      count++;
      characters += entry.line.length;
    }
    const entries = this.#waiting.splice(0, count).map(({ entry }) => entry);
    this.#waitingCharacters -= characters;
    entries.sort((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0));
    const { categorize } = this.#options;
    let text = `{"streams":${[...encodeStreamsInOrder(entries, categorize)].join("")}`;
    if (this.#dropped.length > 0) {
      const dropped = this.#dropped.map(
        ({ timeNs, labels }) => `{"timestamp":"${timeNs}","labels":${labelsJson(labels)}}`,
      );
      text += `,"dropped_entries":[${dropped.join(",")}]`;
      this.#dropped = [];
    }
    return `${text}${categorize ? ',"encodingFlags":["categorize-labels"]' : ""}}`;
  }
}
