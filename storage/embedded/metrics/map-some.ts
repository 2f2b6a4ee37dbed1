const AT_A_TIME = 8;

/** Calls an asynchronous function for each item, for some at a time. Results are in the order of the items. */
export async function mapSome<T, R>(items: readonly T[], call: (item: T, place: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += AT_A_TIME) {
    const some = items.slice(from, from + AT_A_TIME);
    for (const result of await Promise.all(some.map((item, i) => call(item, from + i)))) results.push(result);
  }
  return results;
}
