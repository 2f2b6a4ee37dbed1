import { setTimeout as sleep } from "node:timers/promises";
import { call } from "../../harness/http-call.ts";

const FIRST_FAILURE_STATUS = 400;
/** When the answer does not say, or there is none. */
const RETRY_AFTER_MS = 1_000;

type Attempt = { readonly problem: string | undefined; readonly retryAfterMs: number };

/** Asks one question again and again, as a client that tries a question that failed once more, when it was told to. */
export class RetryingClient {
  readonly #url: string;
  readonly #path: string;
  answered = 0;
  /** Questions that were answered at the second try, and why not at the first. */
  readonly retried: string[] = [];
  /** Questions that failed twice. */
  readonly failures: string[] = [];

  constructor(url: string, path: string) {
    this.#url = url;
    this.#path = path;
  }

  async run(stopped: () => boolean, pauseMs: number): Promise<void> {
    while (!stopped()) {
      await this.#ask();
      await sleep(pauseMs);
    }
  }

  /** Why the question is not answered now, undefined when it is. */
  async problem(): Promise<string | undefined> {
    return (await this.#try()).problem;
  }

  async #ask(): Promise<void> {
    const first = await this.#try();
    if (first.problem === undefined) {
      this.answered++;
      return;
    }
    await sleep(first.retryAfterMs);
    const second = await this.#try();
    const text = `${this.#path}: ${first.problem}, after ${first.retryAfterMs} ms ${second.problem ?? "answered"}`;
    (second.problem === undefined ? this.retried : this.failures).push(text);
  }

  async #try(): Promise<Attempt> {
    try {
      const { status, text, headers } = await call(`${this.#url}${this.#path}`);
      if (status < FIRST_FAILURE_STATUS) return { problem: undefined, retryAfterMs: 0 };
      const seconds = headers["retry-after"];
      const retryAfterMs = seconds === undefined ? RETRY_AFTER_MS : Number(seconds) * 1_000;
      return { problem: `${status} ${text.slice(0, 200)}`, retryAfterMs };
    } catch (error) {
      return { problem: String(error), retryAfterMs: RETRY_AFTER_MS };
    }
  }
}
