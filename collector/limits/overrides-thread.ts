/** The thread of `read-overrides.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { InvalidInputError } from "@sightline/model/errors.ts";
import { parseOverrides } from "./parse-overrides.ts";
import type { OverridesAnswer, OverridesRequest } from "./read-overrides.ts";

/** Of one message, which the other thread takes in at once. */
const MAX_TENANTS = 50;

const { text, defaults, path } = workerData as OverridesRequest;
const answer = (message: OverridesAnswer) => parentPort?.postMessage(message);
try {
  const tenants = [...parseOverrides(text, defaults, path)];
  for (let from = 0; from < tenants.length; from += MAX_TENANTS) {
    answer({ tenants: tenants.slice(from, from + MAX_TENANTS) });
  }
  answer({ done: true });
} catch (error) {
  if (!(error instanceof InvalidInputError)) throw error;
  answer({ mistakes: error.message });
}
