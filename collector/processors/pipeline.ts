import { crc32 } from "node:zlib";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { Signal } from "@sightline/model/ports.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import type { Decoded } from "@sightline/proto/wire-request.ts";
import type { ActiveSeries } from "../limits/active-series.ts";
import { decodeDecisions, encodeDecisions } from "./decisions.ts";
import { Pass, type Stage } from "./stage.ts";
import { finish, type Steps, stepsOf } from "./steps.ts";

export type Processed = {
  readonly decoded: Decoded;
  readonly pass: Pass;
  /** To be kept with the request and given to a replay. */
  readonly decisions: Uint8Array | undefined;
};

type Run<Batch> = { readonly batch: Batch; readonly pass: Pass; readonly decisions: Uint8Array | undefined };

/** What happens to one signal of one tenant between decoding and storing. */
export class Pipeline<Batch extends object> {
  readonly #stages: readonly Stage<Batch>[];
  readonly #fingerprint: number;

  /** `settings` is what the stages were made from: decisions made under others are not used. */
  constructor(stages: readonly Stage<Batch>[], settings: unknown) {
    this.#stages = stages;
    this.#fingerprint = crc32(JSON.stringify(settings));
  }

  /** Of a request that is about to be logged. Requests come in the order of the log, each once the one before is done. */
  *run(batch: Batch, receivedAtMs: number): Steps<Run<Batch>> {
    const pass = new Pass(receivedAtMs);
    const decisions = new Map<number, Uint8Array>();
    let current = batch;
    for (const [i, stage] of this.#stages.entries()) {
      const decision = yield* stepsOf(stage.decide?.(current, receivedAtMs));
      if (decision) decisions.set(i, decision);
      current = yield* stepsOf(stage.apply(current, decision, pass));
      yield;
    }
    return { batch: current, pass, decisions: encodeDecisions(this.#fingerprint, decisions) };
  }

  /** Of a request from the log: nothing is decided again, unless the settings have changed since. */
  replay(batch: Batch, receivedAtMs: number, logged: Uint8Array | undefined): Batch {
    const decisions = logged && decodeDecisions(this.#fingerprint, logged);
    if (logged && !decisions) return finish(this.run(batch, receivedAtMs)).batch;
    const pass = new Pass(receivedAtMs);
    return this.#stages.reduce((current, stage, i) => {
      const decision = decisions?.get(i);
      stage.remember?.(current, decision, receivedAtMs);
      return finish(stepsOf(stage.apply(current, decision, pass)));
    }, batch);
  }
}

/** The pipelines of a tenant; a signal to which nothing happens has none. */
export type Pipelines = {
  readonly metrics: Pipeline<MetricBatch> | undefined;
  readonly logs: Pipeline<LogBatch> | undefined;
  readonly traces: Pipeline<SpanBatch> | undefined;
  /** The stage that has to outlive changes of the settings and restarts. */
  readonly activeSeries?: ActiveSeries | undefined;
};

export function* process(pipelines: Pipelines, decoded: Decoded, receivedAtMs: number): Steps<Processed | undefined> {
  const pipeline = pipelineOf(pipelines, decoded.signal);
  if (!pipeline) return undefined;
  const result = yield* pipeline.run(decoded.batch, receivedAtMs);
  return { decoded: withBatch(decoded, result.batch), pass: result.pass, decisions: result.decisions };
}

export function reprocess(
  pipelines: Pipelines,
  decoded: Decoded,
  receivedAtMs: number,
  logged: Uint8Array | undefined,
): Decoded {
  const pipeline = pipelineOf(pipelines, decoded.signal);
  return pipeline ? withBatch(decoded, pipeline.replay(decoded.batch, receivedAtMs, logged)) : decoded;
}

/** A decoded request's batch is that of its signal; TypeScript can't follow that through a table. */
function pipelineOf(pipelines: Pipelines, signal: Signal): Pipeline<Decoded["batch"]> | undefined {
  return pipelines[signal] as Pipeline<Decoded["batch"]> | undefined;
}

function withBatch(decoded: Decoded, batch: Decoded["batch"]): Decoded {
  return { ...decoded, batch } as Decoded;
}
