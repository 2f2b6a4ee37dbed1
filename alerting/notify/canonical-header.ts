/** `x-my-id` as Go's textproto writes it: X-My-Id. */
export function canonicalHeader(name: string): string {
  return name.toLowerCase().replace(/(^|-)([a-z])/g, (_, before, letter) => before + letter.toUpperCase());
}
