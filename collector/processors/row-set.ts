/** A set of rows as a bitmap: small enough to be written to the log as a decision. */
export class RowSet {
  readonly bytes: Uint8Array;
  size = 0;

  constructor(rows: number) {
    this.bytes = new Uint8Array((rows + 7) >> 3);
  }

  /** Rows beyond what the bytes hold are not in the set: so it reads what was cut off or never written. */
  static from(bytes: Uint8Array): RowSet {
    const set = new RowSet(0);
    Object.assign(set, { bytes });
    for (const byte of bytes) for (let bits = byte; bits > 0; bits &= bits - 1) set.size++;
    return set;
  }

  add(row: number): void {
    if (this.has(row)) return;
    this.bytes[row >> 3] = (this.bytes[row >> 3] as number) | (1 << (row & 7));
    this.size++;
  }

  has(row: number): boolean {
    return ((this.bytes[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
  }
}
