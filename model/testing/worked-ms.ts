/**
 * CPU time of this thread so far, in ms. For tests of what something costs: a busy machine takes its share of any other
 * clock. Bounds are to be some times what a slow machine needs, and far below what they guard against.
 */
export function workedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
