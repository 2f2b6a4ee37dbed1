/** One JSON object of the members of both, neither of which is empty. */
export function joinObjects(one: string, other: string): string {
  return `${one.slice(0, -1)},${other.slice(1)}`;
}
