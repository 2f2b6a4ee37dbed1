/** What the status endpoints say of the process; whoever wires it knows. */
export type ServerFacts = {
  readonly startedAtMs: number;
  /** How long samples are kept, as a duration in Prometheus' form. */
  readonly retention: string;
  /** The configuration in effect, as YAML, without secrets. */
  readonly configYaml: () => string;
  /** Settings by the names of Prometheus' flags, as far as it has one for them. */
  readonly flags: () => Readonly<Record<string, string>>;
};
