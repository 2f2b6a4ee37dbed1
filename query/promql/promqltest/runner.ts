import { readFile } from "node:fs/promises";
import type { MetricStore } from "@sightline/model/metric-store.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { DEFAULT_PROM_LIMITS } from "../config.ts";
import { PromEngine } from "../engine.ts";
import type { PromValue, QueryResult, VectorSample } from "../result.ts";
import { pinnedQuery } from "./at-variants.ts";
import { compareResult } from "./compare-result.ts";
import { loadBatch } from "./load-batch.ts";
import { parseScript } from "./parse-script.ts";
import type { Failure, FileReport } from "./report.ts";
import type { Command, EvalCommand, Expectation } from "./script.ts";

/** A store with nothing in it, and how to get rid of it. */
export type TestStore = { readonly store: MetricStore; dispose(): Promise<void> };

/** Runs each script against stores of its own, and says how each of its evals went. */
export async function runScripts(files: readonly string[], makeStore: () => Promise<TestStore>): Promise<FileReport[]> {
  const reports: FileReport[] = [];
  for (const file of files) {
    try {
      reports.push(await runScript(file, await readFile(file, "utf8"), makeStore));
    } catch (error) {
      reports.push(unreadable(file, error));
    }
  }
  return reports;
}

/** Runs one script given as text. */
export async function runScript(file: string, text: string, makeStore: () => Promise<TestStore>): Promise<FileReport> {
  const failures: Failure[] = [];
  let commands: Command[];
  try {
    commands = parseScript(text);
  } catch (error) {
    return unreadable(file, error);
  }
  const session = new ScriptSession(makeStore);
  let passed = 0;
  try {
    for (const command of commands) {
      const problem = await session.run(command);
      if (problem !== undefined) {
        const query = command.kind === "eval" ? command.text : command.kind;
        failures.push({ file, line: command.line, query, problem });
      } else if (command.kind === "eval") passed++;
    }
  } finally {
    await session.dispose();
  }
  return { file, passed, failures };
}

function unreadable(file: string, error: unknown): FileReport {
  const failure = { file, line: 0, query: "", problem: `can't be read: ${messageOf(error)}` };
  return { file, passed: 0, failures: [failure] };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The store of a script between two `clear`s. */
class ScriptSession {
  readonly #makeStore: () => Promise<TestStore>;
  #current: TestStore | undefined;
  #position = 0;

  constructor(makeStore: () => Promise<TestStore>) {
    this.#makeStore = makeStore;
  }

  /** What went wrong, if anything. */
  async run(command: Command): Promise<string | undefined> {
    switch (command.kind) {
      case "clear":
        await this.dispose();
        return undefined;
      case "load": {
        const { store } = await this.#store();
        const result = await store.append(DEFAULT_TENANT, loadBatch(command), ++this.#position);
        return result.rejected.length === 0 ? undefined : `load was refused: ${JSON.stringify(result.rejected)}`;
      }
      case "eval": {
        const { store } = await this.#store();
        return new EvalRun(new PromEngine({ queryable: store, limits: DEFAULT_PROM_LIMITS }), command).run();
      }
    }
  }

  async dispose(): Promise<void> {
    await this.#current?.dispose();
    this.#current = undefined;
    this.#position = 0;
  }

  async #store(): Promise<TestStore> {
    this.#current ??= await this.#makeStore();
    return this.#current;
  }
}

const QUERY_TIMES = /(start|end|range|step)\(\)/;
const MINUTE_MS = 60_000;
const FOREVER = new AbortController().signal;
const SELECT = { tenant: DEFAULT_TENANT, signal: FOREVER };

/** One eval, asked in all the ways that must give the same result. */
class EvalRun {
  readonly #engine: PromEngine;
  readonly #command: EvalCommand;

  constructor(engine: PromEngine, command: EvalCommand) {
    this.#engine = engine;
    this.#command = command;
  }

  async run(): Promise<string | undefined> {
    const { text, startMs, endMs, stepMs } = this.#command;
    if (stepMs > 0) {
      const { problem } = await this.#ask(() => this.#engine.range(text, { ...SELECT, startMs, endMs, stepMs }));
      return problem;
    }
    const problem = await this.#instant(text, endMs);
    if (problem !== undefined) return problem;
    const pinned = pinnedQuery(text, endMs);
    for (const timeMs of pinned?.timesMs ?? []) {
      const problemThen = await this.#instant(pinned?.text as string, timeMs);
      if (problemThen !== undefined) return `asked as ${pinned?.text} at ${timeMs} ms: ${problemThen}`;
    }
    return undefined;
  }

  async #instant(text: string, timeMs: number): Promise<string | undefined> {
    const asked = await this.#ask(() => this.#engine.instant(text, { ...SELECT, timeMs }));
    if (asked.problem !== undefined || !asked.result) return asked.problem;
    const { ordered, rangeVector, string } = this.#command;
    if (rangeVector || string !== undefined || QUERY_TIMES.test(text)) return undefined;
    const problem = await this.#middleOfRange(text, timeMs, ordered, asked.result.value.type);
    return problem && `as a range query: ${problem}`;
  }

  /** An instant query must give the same as a range query does at that step. */
  async #middleOfRange(
    text: string,
    timeMs: number,
    ordered: boolean,
    type: PromValue["type"],
  ): Promise<string | undefined> {
    const range = { startMs: timeMs - MINUTE_MS, endMs: timeMs + MINUTE_MS, stepMs: MINUTE_MS };
    let result: QueryResult;
    try {
      result = await this.#engine.range(text, { ...SELECT, ...range });
    } catch (error) {
      return messageOf(error);
    }
    if (ordered || result.value.type !== "matrix") return undefined;
    const samples = samplesAt(result.value, timeMs);
    const value: PromValue =
      type === "scalar" ? { type, timeMs, value: samples[0]?.value ?? Number.NaN } : { type: "vector", samples };
    return compareResult(this.#command, value);
  }

  async #ask(ask: () => Promise<QueryResult>): Promise<{ problem: string | undefined; result?: QueryResult }> {
    const { fail } = this.#command;
    let result: QueryResult;
    try {
      result = await ask();
    } catch (error) {
      const message = messageOf(error);
      if (!fail) return { problem: `wanted a result, got error ${message}` };
      const unmet = fail.find(({ matches }) => !matches(message));
      return { problem: unmet && `wanted error ${unmet.text}, got ${message}` };
    }
    if (fail) return { problem: `wanted an error, got ${JSON.stringify(result.value).slice(0, 200)}` };
    const problem = this.#annotations(result) ?? compareResult(this.#command, result.value);
    return { problem, result };
  }

  #annotations({ warnings, infos }: QueryResult): string | undefined {
    const { warn, info, someWarn, someInfo, noWarn, noInfo } = this.#command;
    if (someWarn && warnings.length === 0) return "wanted warnings, got none";
    if (someInfo && infos.length === 0) return "wanted infos, got none";
    if (noWarn && warnings.length > 0) return `wanted no warnings, got ${warnings.join("; ")}`;
    if (noInfo && infos.length > 0) return `wanted no infos, got ${infos.join("; ")}`;
    return unmetAnnotation("warning", warn, warnings) ?? unmetAnnotation("info", info, infos);
  }
}

/** Every expectation must be met, and every annotation expected. */
function unmetAnnotation(
  kind: string,
  expected: readonly Expectation[],
  actual: readonly string[],
): string | undefined {
  if (expected.length === 0) return undefined;
  const unmet = expected.find(({ matches }) => !actual.some(matches));
  if (unmet) return `wanted ${kind} ${unmet.text}, got ${actual.length === 0 ? "none" : actual.join("; ")}`;
  const unexpected = actual.find((text) => !expected.some(({ matches }) => matches(text)));
  return unexpected && `did not want ${kind} ${unexpected}`;
}

function samplesAt(value: Extract<PromValue, { type: "matrix" }>, timeMs: number): VectorSample[] {
  const samples: VectorSample[] = [];
  for (const { labels, timesMs, values, histograms } of value.series) {
    const float = timesMs.indexOf(timeMs);
    if (float !== -1) samples.push({ labels, timeMs, value: values[float] as number });
    const at = histograms?.timesMs.indexOf(timeMs) ?? -1;
    const histogram = histograms?.values[at];
    if (histogram) samples.push({ labels, timeMs, value: 0, histogram });
  }
  return samples;
}
