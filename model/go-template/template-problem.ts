/** A message without its place, and where that is if not where the parser stands. */
export class TemplateProblem extends Error {
  readonly at: number | undefined;

  constructor(message: string, at?: number) {
    super(message);
    this.at = at;
  }
}
