import { Head } from "./head.ts";

/** A head and the positions of the log that are in it. */
export type Generation = {
  readonly head: Head;
  first: number | undefined;
  last: number;
  /** When its first batch came, by the clock. */
  beganMs: number;
};

/** `before` is the head that is being written. */
export function emptyGeneration(before: Head | undefined): Generation {
  return { head: new Head(before), first: undefined, last: Number.NEGATIVE_INFINITY, beganMs: 0 };
}
