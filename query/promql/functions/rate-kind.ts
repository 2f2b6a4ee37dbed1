/** What `rate`, `increase` and `delta` differ in. */
export type RateKind = { readonly isCounter: boolean; readonly isRate: boolean };
