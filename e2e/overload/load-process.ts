/**
 * A process of its own, so that what it does is not taken for the server's work: sends all signals at a fixed rate, whatever
 * the server says, and repeats what was refused as the specifications ask. Reads its plan from the command line, prints
 * {@link LoadProgress} every second as a line of JSON, stops at a line on standard input and prints {@link LoadLedger}.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { patientMs } from "../harness/patience.ts";
import type { LoadLedger, LoadPlan, LoadProgress } from "./load-plan.ts";
import { KINDS, type Kind } from "./payloads.ts";
import { type Answer, makeSender, type Send } from "./sender.ts";

const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 15_000;
/** Requests that one client keeps while it can't get rid of them; the next ones it drops, as SDKs do. */
const MAX_WAITING = 20;
const PARALLEL = 4;
/** Trace ids that are looked up at the end, of each client. */
const MAX_TRACES_KEPT = 40;
const MAX_REFUSALS = 30;
const DRAIN_MS = patientMs(20_000);

class LoadClient {
  readonly #kind: Kind;
  readonly #client: number;
  readonly #send: Send;
  readonly #source: (timeMs: number) => { readonly bytes: Buffer; readonly traceId?: string };
  #waiting = 0;
  #sending = 0;
  acknowledged = 0;
  /** Requests of which nobody knows whether they arrived. */
  uncertain = 0;
  dropped = 0;
  readonly traceIds: string[] = [];

  constructor(kind: Kind, client: number, send: Send) {
    this.#kind = kind;
    this.#client = client;
    this.#send = send;
    this.#source = kind.makeSource(client);
  }

  get key(): string {
    return `${this.#kind.name}/${this.#client}`;
  }

  get isIdle(): boolean {
    return this.#sending === 0;
  }

  /** One request more is due. */
  offer(): void {
    totals.offered[this.#kind.name] += this.#kind.itemsPerRequest;
    if (this.#waiting >= MAX_WAITING) {
      this.dropped++;
      return;
    }
    this.#waiting++;
    if (this.#sending < PARALLEL) void this.#work();
  }

  async #work(): Promise<void> {
    this.#sending++;
    while (this.#waiting > 0 && !stopping) {
      this.#waiting--;
      await this.#deliver();
    }
    this.#sending--;
  }

  async #deliver(): Promise<void> {
    const body = this.#source(Date.now());
    let maybeThere = false;
    for (let attempt = 0; ; attempt++) {
      const answer = await this.#send(body);
      count(answer);
      if (answer.outcome === "refused") return;
      if (answer.outcome === "accepted") {
        this.#acknowledge(body.traceId, maybeThere);
        return;
      }
      if (answer.outcome === "unknown") maybeThere = true;
      const backoffMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt) * (0.5 + Math.random());
      if (!stopping) await sleep(Math.max(backoffMs, answer.retryAfterMs ?? 0));
      if (stopping) break;
    }
    if (maybeThere) this.uncertain++;
    else totals.abandoned++;
  }

  /** A repetition of what may have arrived before could be there twice. */
  #acknowledge(traceId: string | undefined, maybeThere: boolean): void {
    this.acknowledged++;
    totals.acknowledged[this.#kind.name] += this.#kind.itemsPerRequest;
    if (maybeThere) this.uncertain++;
    if (traceId !== undefined) this.#keepTrace(traceId);
  }

  /** Some from the whole run. */
  #keepTrace(id: string): void {
    if (this.traceIds.length < MAX_TRACES_KEPT) this.traceIds.push(id);
    else if (Math.random() < 0.02) this.traceIds[Math.floor(Math.random() * MAX_TRACES_KEPT)] = id;
  }
}

const plan = JSON.parse(process.argv[2] ?? "") as LoadPlan;
const totals: LoadProgress = {
  offered: { metrics: 0, logs: 0, traces: 0 },
  acknowledged: { metrics: 0, logs: 0, traces: 0 },
  statuses: {},
  refusals: {},
  withoutRetryAfter: 0,
  refused: 0,
  abandoned: 0,
};
let stopping = false;

const clients = KINDS.flatMap((kind) => {
  // Each with connections of its own, as machines have.
  const make = (i: number) => new LoadClient(kind, plan.firstClient + i, makeSender(kind.name, plan));
  return Array.from({ length: plan.clients }, (_, i) => make(i));
});

function count({ status, outcome, retryAfterMs, text }: Answer): void {
  totals.statuses[status] = (totals.statuses[status] ?? 0) + 1;
  if (outcome === "refused") totals.refused++;
  if (outcome === "retry" && retryAfterMs === undefined) totals.withoutRetryAfter++;
  if (outcome !== "accepted" && text) note(status, text);
}

/** One text of each kind: without its numbers they are few. */
function note(status: string, text: string): void {
  // What JSON and protobuf put around it is not what tells answers apart.
  const kind = `${status} ${text
    .replace(/[^ -~]+/g, " ")
    .replace(/\d+/g, "#")
    .slice(0, 60)}`;
  if (totals.refusals[kind] !== undefined || Object.keys(totals.refusals).length < MAX_REFUSALS) {
    totals.refusals[kind] = (totals.refusals[kind] ?? 0) + 1;
  }
}

/** Requests that are due are offered in small portions, so that the rate holds whatever the timer does. */
async function offerAtRate(kind: Kind): Promise<void> {
  const own = clients.filter(({ key }) => key.startsWith(`${kind.name}/`));
  const perMs = plan.itemsPerSecond[kind.name] / kind.itemsPerRequest / 1_000;
  const beganMs = performance.now();
  for (let offered = 0, next = 0; !stopping; ) {
    for (const due = Math.floor((performance.now() - beganMs) * perMs); offered < due; offered++, next++) {
      (own[next % own.length] as LoadClient).offer();
    }
    await sleep(5);
  }
}

process.stdin.once("data", () => {
  stopping = true;
});
const reporter = setInterval(() => process.stdout.write(`${JSON.stringify(totals)}\n`), 1_000);
await Promise.all(KINDS.map(offerAtRate));
clearInterval(reporter);
for (const untilMs = Date.now() + DRAIN_MS; Date.now() < untilMs && clients.some(({ isIdle }) => !isIdle); )
  await sleep(50);
const ledger: LoadLedger = {
  totals,
  dropped: clients.reduce((sum, { dropped }) => sum + dropped, 0),
  clients: Object.fromEntries(
    clients.map(({ key, acknowledged, uncertain, traceIds }) => [key, { acknowledged, uncertain, traceIds }]),
  ),
};
process.stdout.write(`${JSON.stringify({ ledger })}\n`, () => process.exit(0));
