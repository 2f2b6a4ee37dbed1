import { readFileSync } from "node:fs";
import type { PastSilence } from "@sightline/alerting/alertmanager/dispatch/hold-back.ts";
import { parseSilences } from "@sightline/alerting/alertmanager/silences/parse-silences.ts";
import { UnavailableError } from "@sightline/model/errors.ts";
import { headersOf, type Options, urlOf } from "../command-options.ts";

const TIMEOUT_MS = 30_000;

/**
 * Those that `--silences` names: of the server (`server`), or of a file as `amtool silence query --expired -o json` writes it. Those
 * that are over are among them as long as the Alertmanager keeps them. Throws `InvalidInputError` or `UnavailableError`.
 */
export async function readSilences(options: Options): Promise<readonly PastSilence[]> {
  const { silences: from } = options as { silences?: string };
  if (from === undefined) return [];
  const text = from === "server" ? await silencesOf(urlOf(options), headersOf(options)) : readFileSync(from, "utf8");
  return parseSilences(text, `--silences ${from}`);
}

async function silencesOf(url: string, headers: Record<string, string>): Promise<string> {
  try {
    const answer = await fetch(new URL("api/v2/silences", `${url}/`), {
      headers,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await answer.text();
    if (answer.ok) return text;
    throw new Error(`${answer.status}: ${text.slice(0, 200).trim()}`);
  } catch (cause) {
    const message = `the silences of ${url} can't be read: ${(cause as Error).message}`;
    throw new UnavailableError(message, { cause, retryAfterMs: 1_000 });
  }
}
