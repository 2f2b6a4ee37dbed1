import type { Random } from "./random.ts";

/** Makes an input out of one or two good ones. */
export type Mutate = (input: Uint8Array, other: Uint8Array, random: Random) => Uint8Array;

/** One decoder. */
export type FuzzTarget = {
  readonly name: string;
  /** Its part of all inputs, relative to the others; slow ones get less. */
  readonly share: number;
  /** How long it may take for one, when it is not as long as all. */
  readonly maxInputMs?: number;
  /** Good inputs, which must all be taken. */
  readonly seeds: readonly Uint8Array[];
  readonly mutate: Mutate;
  /**
   * Decodes, and looks at everything that came of it. Throws what the decoder throws: for bad input one of the errors of
   * model/errors.ts, for a batch that breaks its own rules a plain one.
   */
  readonly run: (input: Uint8Array) => unknown;
};

/** Some decoders need a server or files. */
export type FuzzTargets = { readonly targets: readonly FuzzTarget[]; readonly close?: () => Promise<void> };
