import type { Readable } from "node:stream";

/** A place for backups: named objects, each written once as a whole. Names are made of `[\w./-]`. */
export interface BackupTarget {
  /** For people: where it is. */
  readonly address: string;
  /** Names that begin with `prefix`, in no order. */
  list(prefix: string): AsyncIterable<string>;
  /** Throws `NotFoundError`. */
  read(name: string): Promise<Readable>;
  /** The object is there, whole and durable, once it settles. */
  writeFile(name: string, path: string, bytes: number): Promise<void>;
  writeText(name: string, text: string): Promise<void>;
  /** Nothing happens when it is not there. */
  remove(name: string): Promise<void>;
}
