import { attributeValue } from "@sightline/model/attributes.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import { TokenBucket } from "../limits/token-bucket.ts";
import { CompiledMatch } from "../processors/row-match.ts";
import { isSampled } from "../processors/sample-traces.ts";
import type { HeldRow, HeldTrace } from "./held-traces.ts";
import type { TailPolicyConfig } from "./tail-sampling-config.ts";

const STATUSES = ["unset", "ok", "error"] as const;
const NS_PER_MS = 1_000_000;

type RowTest = (batch: SpanBatch) => (row: number) => boolean;

/** A policy ready to be asked about traces. It remembers what it has let through, for its rate. */
export class TailPolicy {
  readonly config: TailPolicyConfig;
  readonly #some: readonly RowTest[];
  readonly #none: readonly RowTest[];
  readonly #rate = new TokenBucket();
  /** Tests are made once per batch, which has spans of many traces. */
  #tests = new WeakMap<SpanBatch, Map<RowTest, (row: number) => boolean>>();

  constructor(config: TailPolicyConfig) {
    this.config = config;
    const { match, unless, status, number } = config;
    const some: RowTest[] = [];
    if (status) some.push(statusTest(STATUSES.indexOf(status)));
    if (match) some.push(matchTest(new CompiledMatch(match)));
    if (number) some.push(numberTest(number.attribute, number.min ?? -Infinity, number.max ?? Infinity));
    this.#some = some;
    this.#none = unless ? [matchTest(new CompiledMatch(unless))] : [];
  }

  /** Asking counts towards the rate. `nowMs` is of a clock that doesn't jump. */
  holdsFor(traceId: string, { rows }: HeldTrace, nowMs: number): boolean {
    const { min_spans = 0, max_spans = Infinity, ratio, max_spans_per_second: rate } = this.config;
    if (rows.length < min_spans || rows.length > max_spans) return false;
    if (!isSampled(traceId, ratio) || !this.#hasDuration(rows)) return false;
    if (!this.#some.every((test) => rows.some((row) => this.#ask(test, row)))) return false;
    if (this.#none.some((test) => rows.some((row) => this.#ask(test, row)))) return false;
    if (rate === 0) return true;
    if (this.#rate.waitMs(nowMs, rate, rate) > 0) return false;
    this.#rate.take(rows.length, nowMs, rate, rate);
    return true;
  }

  #hasDuration(rows: readonly HeldRow[]): boolean {
    const { min_duration_ms: min, max_duration_ms: max } = this.config;
    if (min === undefined && max === undefined) return true;
    const durationMs = durationNs(rows) / NS_PER_MS;
    return durationMs >= (min ?? 0) && durationMs <= (max ?? Infinity);
  }

  #ask(test: RowTest, { request: { batch }, row }: HeldRow): boolean {
    let tests = this.#tests.get(batch);
    if (!tests) {
      tests = new Map();
      this.#tests.set(batch, tests);
    }
    let ofBatch = tests.get(test);
    if (!ofBatch) {
      ofBatch = test(batch);
      tests.set(test, ofBatch);
    }
    return ofBatch(row);
  }
}

function durationNs(rows: readonly HeldRow[]): number {
  let start: bigint | undefined;
  let end = 0n;
  for (const { request, row } of rows) {
    const startNs = request.batch.startsNs[row] as bigint;
    const endNs = startNs + (request.batch.durationsNs[row] as bigint);
    if (start === undefined || startNs < start) start = startNs;
    if (endNs > end) end = endNs;
  }
  return start === undefined ? 0 : Number(end - start);
}

function statusTest(code: number): RowTest {
  return (batch) => (row) => batch.statusCodes[row] === code;
}

function matchTest(match: CompiledMatch): RowTest {
  return (batch) => match.spans(batch);
}

/** Of the span or else of its resource. */
function numberTest(attribute: string, min: number, max: number): RowTest {
  const isWithin = (text: string | undefined) => {
    const value = text === undefined || text === "" ? Number.NaN : Number(text);
    return value >= min && value <= max;
  };
  return (batch) => {
    const columns = batch.attributes.filter(({ name }) => name === attribute);
    const ofSource = batch.sources.map(({ resource }) => isWithin(attributeValue(resource, attribute)));
    return (row) =>
      columns.some(({ values }) => isWithin(values[row])) || ofSource[batch.sourceRefs[row] as number] === true;
  };
}
