import type { DataDisk } from "../../faults/data-disk.ts";
import type { RandomNumbers } from "../../promql-random-numbers.ts";
import type { Cluster } from "../cluster.ts";

/** What a fault can get at. */
export type ChaosBench = {
  readonly cluster: Cluster;
  readonly disks: { readonly postgres: DataDisk; readonly openSearch: DataDisk };
  readonly random: RandomNumbers;
};

/** One way in which a database fails. The load runs from before `strike` to after `lift`. */
export type DatabaseFault = {
  readonly name: string;
  /** What this machine lacks for it, undefined when it can be done. */
  readonly lacks?: (bench: ChaosBench) => string | undefined;
  /** Says what it did, for the report. */
  readonly strike: (bench: ChaosBench) => Promise<string>;
  /** Milliseconds between both: least and most. */
  readonly lasts: readonly [number, number];
  /** Brings back what an operator, or whoever restarts processes that end, brings back, and no more. */
  readonly lift: (bench: ChaosBench) => Promise<void>;
};
