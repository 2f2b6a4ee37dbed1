import { Worker } from "node:worker_threads";
import { parseRuleFile, type ReadRuleFile, RuleFileError } from "@sightline/alerting/rules/parse-rule-file.ts";
import type { GroupConfig } from "@sightline/alerting/rules/rule-config.ts";
import type { RuleLanguage } from "@sightline/model/rules.ts";
import { checkExpression } from "./check-expression.ts";

export type RuleFileRequest = {
  readonly text: string;
  readonly language: RuleLanguage | undefined;
  readonly maxQueryBytes: number;
};
/** `groups` comes as often as needed, then `done`; or what is wrong. */
export type RuleFileAnswer =
  | { readonly groups: readonly GroupConfig[] }
  | { readonly done: true }
  | { readonly problems: readonly string[] };

/** Reading so much takes some milliseconds; more is read on another thread. */
const MAX_CHARACTERS_HERE = 16 * 1024;
const TIMEOUT_MS = 120_000;
/** 100,000 rules take 300 MiB. */
const MAX_HEAP_MIB = 1_024;

/** Reads rule files without holding the event loop, whatever is in them. `maxQueryBytes` bounds expressions of LogQL. */
export function ruleFileReader(maxQueryBytes: number): ReadRuleFile {
  return async (text, { language } = {}) => {
    if (text.length > MAX_CHARACTERS_HERE) return readElsewhere({ text, language, maxQueryBytes });
    return parseRuleFile(text, { check: (expression) => checkExpression(expression, maxQueryBytes), language });
  };
}

/** A thread of its own for each: large files are rare, and what one does to its thread is over with it. */
async function readElsewhere(request: RuleFileRequest): Promise<readonly GroupConfig[]> {
  const worker = new Worker(new URL("./rule-file-thread.ts", import.meta.url), {
    workerData: request,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
  });
  const timer = setTimeout(() => void worker.terminate(), TIMEOUT_MS);
  try {
    return await answersOf(worker);
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

function answersOf(worker: Worker): Promise<readonly GroupConfig[]> {
  return new Promise((resolve, reject) => {
    const groups: GroupConfig[] = [];
    worker.on("message", (answer: RuleFileAnswer) => {
      if ("problems" in answer) reject(new RuleFileError(answer.problems));
      else if ("done" in answer) resolve(groups);
      else groups.push(...answer.groups);
    });
    worker.on("error", (cause: NodeJS.ErrnoException) => {
      const isTooMuch = cause.code === "ERR_WORKER_OUT_OF_MEMORY";
      reject(isTooMuch ? new RuleFileError([`reading it takes more than ${MAX_HEAP_MIB} MiB: split the file`]) : cause);
    });
    worker.on("exit", () => reject(new RuleFileError([`reading it takes more than ${TIMEOUT_MS} ms: split the file`])));
  });
}
