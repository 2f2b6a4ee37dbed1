/** A fault on a bench of this kind. */
type UsableFault<Bench> = {
  readonly name: string;
  /** What this machine lacks for it, undefined when it can be done. */
  readonly lacks?: (bench: Bench) => string | undefined;
};

/** Those with `only` in their names that can be done here; of the others of them it is said why not. */
export function usableFaults<Bench, Fault extends UsableFault<Bench>>(
  faults: readonly Fault[],
  bench: Bench,
  { only = "", print }: { readonly only?: string | undefined; readonly print: (line: string) => void },
): readonly Fault[] {
  return faults.filter(({ name, lacks }) => {
    if (!name.includes(only)) return false;
    const lacking = lacks?.(bench);
    if (lacking !== undefined) print(`left out: ${name}, for want of ${lacking}`);
    return lacking === undefined;
  });
}
