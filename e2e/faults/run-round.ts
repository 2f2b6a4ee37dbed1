import { UNGREETED } from "../harness/grpc-call.ts";
import { patientMs } from "../harness/patience.ts";
import type { ServerProcess } from "../harness/server-process.ts";
import type { TrackedWriter } from "../harness/tracked-writer.ts";
import type { Damage } from "./damage.ts";
import type { Bench, Ending, Fault } from "./fault.ts";

/** What happened in a round, and what the server did wrong before anything was read back. */
export type Outcome = { readonly text: string; readonly violations: readonly string[]; readonly damage?: Damage };

const PAUSE_MS = 12;
/** Ten seconds, unless the machine is said to be a busy one. */
const MAX_RECOVERY_MS = patientMs(3_300);
/** On an idle machine an empty server starts in a second. */
const BUSY_FACTOR = 5;
const MAX_STOP_MS = patientMs(15_000);
const LOG_CHARACTERS = 4_000;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Load on; the fault strikes, lasts a while and is lifted, or the process ends before that; then the server runs again. */
export async function runRound(bench: Bench, fault: Fault, writers: readonly TrackedWriter[]): Promise<Outcome> {
  const { server, random } = bench;
  const notes: string[] = [];
  const violations: string[] = [];
  const ending = random.one(fault.endings);
  const dies = ending !== "keep running";
  const endsFirst = dies && fault.lift !== undefined && random.chance(0.5);
  const unknownBefore = writers.map(({ answers }) => answers.unknown);
  let stopped = false;
  const load = Promise.all(writers.map((writer) => writer.run(server, () => stopped, PAUSE_MS)));
  try {
    await sleep(random.integer(200, 800));
    if (fault.strike) notes.push(await fault.strike(bench));
    await sleep(random.integer(200, 1_500));
    if (endsFirst) {
      violations.push(...(await end(server, ending, notes)));
      if (random.chance(0.5)) notes.push(await startInTrouble(server));
    }
    await fault.lift?.(bench);
    if (!endsFirst && fault.lift) notes.push(await takesAgain(writers, maxRecoveryMs(bench), violations));
    if (!endsFirst && dies) violations.push(...(await end(server, ending, notes)));
  } finally {
    stopped = true;
    await load;
  }
  if (!dies) return { text: textOf(notes), violations };
  if (ending === "terminate" && !endsFirst) {
    for (const [i, { name, answers, lastUnknown }] of writers.entries()) {
      // Who connects in the moment of the end meets a closing door; nothing of it was under way.
      if (answers.unknown > (unknownBefore[i] as number) && !lastUnknown.includes(UNGREETED)) {
        violations.push(`${name} had no answer though the process was only asked to stop: ${lastUnknown}`);
      }
    }
  }
  const damage = fault.damage?.(bench);
  if (damage) notes.push(damage.text);
  if (random.chance(0.2)) notes.push(await dieWhileStarting(server, random.integer(100, 900)));
  const restartMs = await server.restart();
  notes.push(`ready again after ${Math.round(restartMs)} ms`);
  if (restartMs > maxRecoveryMs(bench)) violations.push(`it took ${Math.round(restartMs)} ms to be ready again`);
  return { text: textOf(notes), violations, ...(damage && { damage }) };
}

const maxRecoveryMs = ({ emptyStartMs }: Bench) => Math.max(MAX_RECOVERY_MS, BUSY_FACTOR * emptyStartMs);
const textOf = (notes: readonly string[]) => notes.map((note) => `; ${note}`).join("");

async function end(server: ServerProcess, ending: Ending, notes: string[]): Promise<string[]> {
  notes.push(ending);
  if (ending === "kill") {
    await server.kill();
    return [];
  }
  const began = performance.now();
  const code = await Promise.race([server.stop(), sleep(MAX_STOP_MS).then(() => "nothing")]);
  const ms = Math.round(performance.now() - began);
  if (code === 0) return [];
  await server.kill();
  return [`SIGTERM ended with ${code} after ${ms} ms; the log ends with\n${server.stderr.slice(-LOG_CHARACTERS)}`];
}

/** Each writer gets a request acknowledged in time. */
async function takesAgain(writers: readonly TrackedWriter[], withinMs: number, violations: string[]): Promise<string> {
  const began = performance.now();
  const before = writers.map(({ answers }) => answers.acknowledged);
  for (;;) {
    const waiting = writers.filter(({ answers }, i) => answers.acknowledged <= (before[i] as number));
    const ms = Math.round(performance.now() - began);
    if (waiting.length === 0) return `takes all again after ${ms} ms`;
    if (ms > withinMs) {
      violations.push(
        `${waiting.map(({ name }) => name).join(", ")}: nothing is taken ${ms} ms after the fault is over`,
      );
      return "does not recover";
    }
    await sleep(20);
  }
}

/** While the fault lasts a start may succeed or fail, but it says what is wrong and does no harm. */
async function startInTrouble(server: ServerProcess): Promise<string> {
  try {
    const ms = await server.restart();
    await sleep(300);
    await server.kill();
    return `started in ${Math.round(ms)} ms in spite of it`;
  } catch (error) {
    if (!String(error).includes("before it was ready")) throw error;
    await server.kill();
    const line = server.stderr.trim().split("\n").at(-1) ?? "";
    if (!line.startsWith("sightline: ")) throw new Error(`a start that failed did not say why:\n${server.stderr}`);
    return `did not start: ${line.slice(0, 160)}`;
  }
}

/** Replay must be able to die, too. */
async function dieWhileStarting(server: ServerProcess, afterMs: number): Promise<string> {
  const starting = server.restart().catch(() => undefined);
  await sleep(afterMs);
  await server.kill();
  await starting;
  return "died while it started";
}
