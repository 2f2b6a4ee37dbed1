/** What the worker is told. `current` holds a counter of inputs, the length of the one it is at, then that input. */
export type WorkerInput = {
  readonly inputs: number;
  readonly seed: number;
  readonly only: string | undefined;
  readonly current: SharedArrayBuffer;
};
export const HEADER_BYTES = 8;
