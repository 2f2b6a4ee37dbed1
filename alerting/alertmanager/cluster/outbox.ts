import type { ClusterUpdate } from "./cluster-message.ts";

/** Larger messages hold up who reads them. */
const RECORDS_PER_MESSAGE = 1_000;

/** Updates for one replica that have not been sent yet. What does not fit is dropped: the next exchange of states has it. */
export class Outbox {
  readonly #maxRecords: number;
  #queue: ClusterUpdate[] = [];
  #records = 0;
  dropped = 0;

  constructor(maxRecords: number) {
    this.#maxRecords = maxRecords;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Gives false when it was dropped. */
  add(update: ClusterUpdate): boolean {
    const records = size(update);
    if (this.#records + records > this.#maxRecords) {
      this.dropped += records;
      return false;
    }
    this.#queue.push(update);
    this.#records += records;
    return true;
  }

  /** As much as one message takes, in order. */
  take(): readonly ClusterUpdate[] {
    let count = 0;
    let records = 0;
    for (const update of this.#queue) {
      if (count > 0 && records + size(update) > RECORDS_PER_MESSAGE) break;
      records += size(update);
      count++;
    }
    this.#records -= records;
    return this.#queue.splice(0, count);
  }
}

function size({ silences, notifications, alerts }: ClusterUpdate): number {
  return silences.length + notifications.length + alerts.length;
}
