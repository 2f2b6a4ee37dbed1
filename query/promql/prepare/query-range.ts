/** The times a query is asked for. An instant query has `startMs` equal to `endMs` and step 0. */
export type QueryRange = { readonly startMs: number; readonly endMs: number; readonly stepMs: number };
