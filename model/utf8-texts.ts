import { isAscii } from "node:buffer";

/** Texts as UTF-8, one behind the other in one piece of memory. Immutable once shared. */
export class Utf8Texts {
  /** Valid UTF-8, and so is each text. */
  readonly bytes: Buffer;
  /** Where each text ends; the next one begins there. */
  readonly ends: Uint32Array;
  /** 1 where there is a text, 0 where there is none, not even an empty one. Absent: they are all there. */
  readonly has: Uint8Array | undefined;

  constructor(bytes: Buffer, ends: Uint32Array, has?: Uint8Array) {
    this.bytes = bytes;
    this.ends = ends;
    this.has = has;
  }

  get length(): number {
    return this.ends.length;
  }

  start(i: number): number {
    return i === 0 ? 0 : (this.ends[i - 1] as number);
  }

  end(i: number): number {
    return this.ends[i] as number;
  }

  /** "" where there is none. */
  at(i: number): string {
    return this.bytes.toString("utf8", this.start(i), this.ends[i]);
  }

  /** "" where there is none. */
  toStrings(): string[] {
    const { bytes, ends } = this;
    const encoding = isAscii(bytes) ? "latin1" : "utf8";
    const texts = new Array<string>(ends.length);
    let start = 0;
    for (let i = 0; i < ends.length; i++) {
      const end = ends[i] as number;
      texts[i] = bytes.toString(encoding, start, end);
      start = end;
    }
    return texts;
  }

  toValues(): (string | undefined)[] {
    const values: (string | undefined)[] = this.toStrings();
    const { has } = this;
    if (has) for (let i = 0; i < values.length; i++) if (has[i] === 0) values[i] = undefined;
    return values;
  }
}
