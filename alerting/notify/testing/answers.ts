import type { VendorAnswer } from "./vendor.ts";

/** What others answer when something is wrong, and whether a notification is tried again then. */
export type FailureCase = readonly [what: string, answer: VendorAnswer, retry: boolean, detail: string];

/** As most do: 5xx may pass, 4xx will not. */
export const USUAL_FAILURES: readonly FailureCase[] = [
  ["a wrong request", { status: 400, body: "nonsense" }, false, "unexpected status code 400: nonsense"],
  ["a wrong key", { status: 401, body: "" }, false, "unexpected status code 401"],
  ["nothing there", { status: 404, body: "not found" }, false, "unexpected status code 404: not found"],
  ["a broken server", { status: 500, body: "oops" }, true, "unexpected status code 500: oops"],
  ["a gateway without a server", { status: 502, body: "" }, true, "unexpected status code 502"],
  [
    "too many requests for now",
    { status: 429, headers: { "retry-after": "3" }, body: "slow" },
    true,
    "unexpected status code 429: slow",
  ],
];
