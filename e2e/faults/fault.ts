import type { ServerProcess } from "../harness/server-process.ts";
import type { RandomNumbers } from "../promql-random-numbers.ts";
import type { Damage } from "./damage.ts";
import type { DataDisk } from "./data-disk.ts";
import type { Interposer } from "./interposer.ts";

/** What a fault can get at. */
export type Bench = {
  readonly server: ServerProcess;
  readonly disk: DataDisk;
  /** undefined without a C compiler. */
  readonly interposer: Interposer | undefined;
  readonly random: RandomNumbers;
  /** How long a start without any data took: on a busy machine everything takes longer. */
  readonly emptyStartMs: number;
};

/** How a round ends: the load goes on to the end, or the process is killed or asked to stop under it. */
export type Ending = "keep running" | "kill" | "terminate";

/** One way in which the world fails. The load runs from before `strike` to after `lift`. */
export type Fault = {
  readonly name: string;
  /** What this machine lacks for it, undefined when it can be done. */
  readonly lacks?: (bench: Bench) => string | undefined;
  /** Throws when the server does not behave. Says what it did, for the report. */
  readonly strike?: (bench: Bench) => Promise<string>;
  readonly lift?: (bench: Bench) => Promise<void>;
  /** Done to the files after the process has died. undefined when there is no file of the kind yet. */
  readonly damage?: (bench: Bench) => Damage | undefined;
  readonly endings: readonly Ending[];
};

export const ANY_ENDING: readonly Ending[] = ["keep running", "kill", "terminate"];

export function lacksInterposer({ interposer }: Bench): string | undefined {
  return interposer ? undefined : "a C compiler (cc) on Linux";
}
