/** One request to Loki's API, as its bytes go out but for the placeholders of {@link fill}. */
export type HttpCase = {
  readonly path: string;
  /** As it stands behind the `?`. */
  readonly search?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
};

export const FORM = { "content-type": "application/x-www-form-urlencoded" };
export const CATEGORIZED = { "x-loki-response-encoding-flags": "categorize-labels" };

/** `$START` and `$END` are nanoseconds; with `_S` seconds, `_F` seconds with a fraction, `_MS` milliseconds, `_RFC` a date. */
export function fill(text: string, startMs: number, endMs: number): string {
  return text.replace(/\$(START|END)(_S|_F|_MS|_RFC)?/g, (_, which: string, form: string | undefined) => {
    const ms = which === "START" ? startMs : endMs;
    if (form === "_S") return String(Math.floor(ms / 1_000));
    if (form === "_F") return (ms / 1_000).toFixed(3);
    if (form === "_MS") return String(ms);
    return form === "_RFC" ? new Date(ms).toISOString() : `${ms}000000`;
  });
}

/** A search text for each set of parameters, of which each is written as it stands, but for what a URL may not have. */
export function search(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%24", "$")}`)
    .join("&");
}
