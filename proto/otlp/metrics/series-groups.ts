/** References of series that are written together, group behind group in one array. */
export class SeriesGroups {
  /** Replaced when it grows. */
  refs = new Uint32Array(1024);
  #length = 0;

  /** Where the group begins in {@link refs}. */
  add(group: readonly number[]): number {
    const start = this.#length;
    if (start + group.length > this.refs.length) {
      const larger = new Uint32Array(2 * (start + group.length));
      larger.set(this.refs);
      this.refs = larger;
    }
    this.refs.set(group, start);
    this.#length += group.length;
    return start;
  }
}
