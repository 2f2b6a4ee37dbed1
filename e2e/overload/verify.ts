import { patientMs } from "../harness/patience.ts";
import type { LoadLedger } from "./load-plan.ts";
import { KINDS, metricOf, SPANS_OF_A_TRACE, serviceOf } from "./payloads.ts";

const WINDOW_SECONDS = 120;
/** Right after an overload the server may still say "not now". */
const ATTEMPTS = 60;
/** A store may be behind with what the log has; it has to have all of it after so long. */
const CATCH_UP_MS = patientMs(40_000);

/** What queries find against what was acknowledged, in items. */
export type Verdict = {
  readonly acknowledged: number;
  readonly found: number;
  /** One line per client or trace whose count can't be explained. */
  readonly wrong: readonly string[];
};

/** Counts everything that was acknowledged by asking for it, a client and two minutes at a time. */
export async function verify(url: string, ledger: LoadLedger, fromMs: number, toMs: number): Promise<Verdict> {
  let acknowledged = 0;
  let found = 0;
  const wrong: string[] = [];
  const untilMs = Date.now() + CATCH_UP_MS;
  for (const [key, client] of Object.entries(ledger.clients)) {
    const [signal, number] = key.split("/") as ["metrics" | "logs" | "traces", string];
    const items = KINDS.find(({ name }) => name === signal)?.itemsPerRequest ?? 0;
    if (signal === "traces") {
      for (const id of client.traceIds) {
        const spans = await until(
          untilMs,
          (count) => count >= SPANS_OF_A_TRACE,
          () => spansOf(url, id),
        );
        acknowledged += SPANS_OF_A_TRACE;
        found += spans;
        if (spans < SPANS_OF_A_TRACE) wrong.push(`trace ${id}: ${spans} of ${SPANS_OF_A_TRACE} spans`);
      }
      continue;
    }
    const least = client.acknowledged * items;
    const most = least + client.uncertain * items;
    const count = await until(
      untilMs,
      (items) => items >= least,
      () => countItems(url, signal, Number(number), fromMs, toMs),
    );
    acknowledged += least;
    found += count;
    if (count < least || count > most) wrong.push(`${key}: ${least} to ${most} acknowledged, ${count} found`);
  }
  return { acknowledged, found, wrong };
}

/** Asks again until the answer is good or it is too late. */
async function until(untilMs: number, isGood: (count: number) => boolean, ask: () => Promise<number>): Promise<number> {
  for (;;) {
    const count = await ask();
    if (isGood(count) || Date.now() > untilMs) return count;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

async function countItems(url: string, signal: "metrics" | "logs", client: number, fromMs: number, toMs: number) {
  const from = Math.floor(fromMs / 1_000) - 1;
  const to = Math.ceil(toMs / 1_000) + 1;
  let total = 0;
  for (let end = from + WINDOW_SECONDS; end < to + WINDOW_SECONDS; end += WINDOW_SECONDS) {
    const query =
      signal === "metrics"
        ? `sum(count_over_time(${metricOf(client)}[${WINDOW_SECONDS}s]))`
        : `sum(count_over_time({service_name="${serviceOf("logs", client)}"}[${WINDOW_SECONDS}s]))`;
    const path = signal === "metrics" ? "/api/v1/query" : "/loki/api/v1/query";
    // Loki's times are nanoseconds, and both count what is after the beginning of the window, up to and with its end.
    const time = signal === "metrics" ? String(end) : `${end}000000000`;
    const answer = await askAgain(`${url}${path}?${new URLSearchParams({ query, time })}`);
    const { result } = (answer as { data: { result: { value: [number, string] }[] } }).data;
    for (const { value } of result) total += Number(value[1]);
  }
  return total;
}

async function spansOf(url: string, traceId: string): Promise<number> {
  const answer = await askAgain(`${url}/jaeger/api/traces/${traceId}`);
  return (answer as { data: { spans: unknown[] }[] | null }).data?.[0]?.spans.length ?? 0;
}

async function askAgain(url: string): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(url, { signal: AbortSignal.timeout(120_000) });
    if (response.ok) return response.json();
    const text = await response.text();
    if (response.status === 404) return { data: null };
    if (attempt === ATTEMPTS || ![429, 503].includes(response.status)) {
      throw new Error(`${response.status} to ${url}: ${text.slice(0, 300)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
