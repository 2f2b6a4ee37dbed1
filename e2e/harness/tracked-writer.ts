import type { ServerProcess } from "./server-process.ts";

/** Where to send and where to ask. What is sent may take its way through somebody else. */
export type Endpoints = Pick<ServerProcess, "url" | "otlpGrpc" | "otlpHttp">;

/** What a writer knows of one of its requests. */
type Sent = {
  /** Answered with success, once at most: a request is not sent again after that. */
  acknowledged: boolean;
  /** Times it was sent without an answer that says what became of it: the process died meanwhile. */
  unknown: number;
};
/** `refused`: the server said that nothing of it is kept, and that it may be sent again. `text`: why it is unknown. */
export type SendResult = { readonly kind: "acknowledged" | "refused" | "unknown"; readonly text?: string };
/** How often each item of each request was found, by request number. */
export type Found = ReadonlyMap<number, readonly number[]>;

/** Kind of load: how a request with a number is sent, and how all of its items are read back. */
export type Load = {
  readonly name: string;
  readonly signal: "metrics" | "logs" | "traces";
  readonly itemsPerRequest: number;
  /** The same item sent again is the same item; otherwise it may be there once more for each unknown outcome. */
  readonly idempotent: boolean;
  send(server: Endpoints, request: number): Promise<SendResult>;
  /** `requests` are those that were ever sent; anything else that is found is listed in `strangers`. */
  find(server: Endpoints, requests: readonly number[], strangers: string[]): Promise<Found>;
};

/** What a reader found wrong, and what is gone of what was acknowledged. */
export type Findings = {
  /** One line for everything that is doubled, torn or from nowhere. */
  readonly violations: readonly string[];
  /** Acknowledged items that are not there, by request. */
  readonly missing: ReadonlyMap<number, number>;
};

/** Half of the requests with an unknown outcome are sent again, as a client that retries would. */
const RETRIED_EVERY = 2;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends one kind of load and remembers exactly what must, may and must not be there. */
export class TrackedWriter {
  readonly #load: Load;
  readonly #sent = new Map<number, Sent>();
  readonly #toRetry: number[] = [];
  #next = 0;
  /** Answers by kind since the start. */
  readonly answers: Record<SendResult["kind"], number> = { acknowledged: 0, refused: 0, unknown: 0 };
  /** Why the last one is unknown that is. */
  lastUnknown = "";
  /** Requests that were sent again and not acknowledged then, either. */
  readonly failedTwice: number[] = [];

  constructor(load: Load) {
    this.#load = load;
  }

  get name(): string {
    return this.#load.name;
  }

  get signal(): Load["signal"] {
    return this.#load.signal;
  }

  get acknowledgedItems(): number {
    let requests = 0;
    for (const { acknowledged } of this.#sent.values()) if (acknowledged) requests++;
    return requests * this.#load.itemsPerRequest;
  }

  get unknownRequests(): number {
    return [...this.#sent.values()].filter(({ unknown }) => unknown > 0).length;
  }

  /** Sends request after request until `stopped`, with pauses of `pauseMs` between them, `retryMs` before one is sent again. */
  async run(server: Endpoints, stopped: () => boolean, pauseMs = 0, retryMs = 0): Promise<void> {
    while (!stopped()) {
      const failed = this.#toRetry.shift();
      if (failed !== undefined && retryMs > 0) await sleep(retryMs);
      const request = failed ?? this.#next++;
      const sent = this.#sent.get(request) ?? { acknowledged: false, unknown: 0 };
      this.#sent.set(request, sent);
      const { kind, text = "" } = await this.#load.send(server, request);
      this.answers[kind]++;
      if (kind === "acknowledged") sent.acknowledged = true;
      else if (kind === "unknown") {
        sent.unknown++;
        this.lastUnknown = text;
        if (request % RETRIED_EVERY === 0) this.#toRetry.push(request);
      } else this.#toRetry.push(request);
      if (failed !== undefined && kind !== "acknowledged") this.failedTwice.push(failed);
      if (pauseMs > 0) await sleep(pauseMs);
    }
  }

  /** Reads everything back and compares. */
  async check(server: Endpoints): Promise<Findings> {
    const { name, itemsPerRequest, idempotent } = this.#load;
    const strangers: string[] = [];
    const found = await this.#load.find(server, [...this.#sent.keys()], strangers);
    const violations = strangers.map((text) => `${name}: never sent: ${text}`);
    const missing = new Map<number, number>();
    for (const [request, sent] of this.#sent) {
      const counts = found.get(request) ?? new Array<number>(itemsPerRequest).fill(0);
      const min = sent.acknowledged ? 1 : 0;
      const max = idempotent ? Math.min(1, min + sent.unknown) : min + sent.unknown;
      const what = `request ${request} (${JSON.stringify(sent)}) is there ${JSON.stringify(counts)} times`;
      const gone = counts.filter((count) => count < min).length;
      if (gone > 0) missing.set(request, gone);
      if (counts.some((count) => count > max)) violations.push(`${name}: doubled: ${what}`);
      if (new Set(counts).size > 1) violations.push(`${name}: torn: ${what}`);
    }
    return { violations, missing };
  }

  /** As {@link check}, for when nothing may be missing: one line for everything that is wrong. */
  async violations(server: Endpoints): Promise<string[]> {
    const { violations, missing } = await this.check(server);
    return [...violations, ...[...missing].map(([request, items]) => `${this.name}: lost ${items} of ${request}`)];
  }

  /** Requests of which something is known to be destroyed: from now on nothing of them is expected to be there. */
  forget(requests: Iterable<number>): void {
    for (const request of requests) {
      const sent = this.#sent.get(request);
      // It may still be there in part or come back with an older copy.
      if (sent) Object.assign(sent, { acknowledged: false, unknown: Math.max(1, sent.unknown) });
    }
  }
}
