/** One request, encoded and compressed before the clock starts. */
export type Payload = { readonly body: Uint8Array; readonly items: number };
export type WorkloadOptions = {
  /** How many samples, records or spans, about. */
  readonly items: number;
  readonly endMs: number;
  readonly seed: number;
};
export type Workload = {
  /** What the figures count. */
  readonly unit: "samples" | "records" | "spans";
  readonly signal: "metrics" | "logs" | "traces";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Payloads in time order; payload i is sent by connection `i % connections`. */
  encode(options: WorkloadOptions): Payload[];
};
