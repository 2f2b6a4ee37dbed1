import { call } from "../../harness/http-call.ts";

/** What may be asked of a querier at any time, and what it needs. */
const QUESTIONS = [
  { needs: "metrics", path: "/api/v1/query?query=count(tracked_remote_write_1)" },
  { needs: "metrics", path: "/api/v1/query_range?query=sum(tracked_remote_write_2)&step=15&SPAN" },
  { needs: "metrics", path: "/api/v1/labels" },
  { needs: "logs", path: "/loki/api/v1/query_range?query={service_name=%22tracked-logs-http%22}&limit=20" },
  { needs: "logs", path: "/loki/api/v1/query?query=sum(count_over_time({service_name=~%22.%2B%22}[1h]))" },
  { needs: "traces", path: "/jaeger/api/services" },
] as const;

const UNAVAILABLE = 503;

/** Asks the same few questions over and over, and remembers what was no good answer. */
export class Asker {
  readonly #url: string;
  answered = 0;
  unavailable = 0;
  /** Lines about answers that are neither good nor a promise that the same can be asked again later. */
  readonly violations: string[] = [];

  constructor(url: string) {
    this.#url = url;
  }

  async run(stopped: () => boolean, pauseMs: number): Promise<void> {
    for (let i = 0; !stopped(); i++) {
      await this.#ask((QUESTIONS[i % QUESTIONS.length] as (typeof QUESTIONS)[number]).path);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  /** The first question that is not answered well, undefined when all are. */
  async problem(): Promise<string | undefined> {
    for (const { needs, path } of QUESTIONS) {
      const { status, text } = await call(`${this.#url}${withSpan(path)}`);
      if (status !== 200) return `${needs}: ${status} ${text.slice(0, 300)}`;
    }
    return undefined;
  }

  async #ask(path: string): Promise<void> {
    const { status, text, headers } = await call(`${this.#url}${withSpan(path)}`);
    if (status === 200) this.answered++;
    else if (status === UNAVAILABLE) this.unavailable++;
    else this.violations.push(`${path} is answered with ${status}: ${text.slice(0, 300)}`);
    if (status === UNAVAILABLE && headers["retry-after"] === undefined) {
      this.violations.push(`${path} is answered with 503 that does not say when to ask again: ${text.slice(0, 300)}`);
    }
  }
}

function withSpan(path: string): string {
  const seconds = Math.floor(Date.now() / 1_000);
  return path.replace("SPAN", `start=${seconds - 3_600}&end=${seconds}`);
}
