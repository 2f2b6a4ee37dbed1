/**
 * Flags of `rules` as promtool takes them, in the form in which all others are: `--run` given several times is one expression,
 * and `--lint` without a value means that everything found counts.
 */
export function withPromtoolFlags(args: readonly string[]): readonly string[] {
  const runs: string[] = [];
  const left: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (arg === "--run") runs.push(args[++i] ?? "");
    else if (arg.startsWith("--run=")) runs.push(arg.slice("--run=".length));
    else if (arg === "--lint") left.push("--lint=all", "--lint-fatal");
    else left.push(arg);
  }
  return runs.length === 0 ? left : [...left, `--run=${runs.join("|")}`];
}
