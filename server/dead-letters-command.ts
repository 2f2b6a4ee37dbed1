import { join } from "node:path";
import { listDeadLetters } from "@sightline/collector/dead-letters/dead-letter-file.ts";
import {
  replayDeadLetters,
  type Submit,
  submitOverHttp,
} from "@sightline/collector/dead-letters/replay-dead-letters.ts";
import type { Config } from "@sightline/config/schema.ts";
import { type Invocation, keyHeaders, urlOf } from "./command-options.ts";
import { DATA_LAYOUT } from "./data-layout.ts";

const USAGE =
  "usage: dead-letters list | dead-letters replay [ID…] [--url http://HOST:PORT] [--key-file FILE] [--data-dir DIR]";

/**
 * `sightline dead-letters …` on the data directory of `config`. Returns the exit code. With keys on, a replay needs one of the
 * scope admin for all the tenants that the letters are of.
 */
export async function runDeadLetters(config: Config, { words, options }: Invocation): Promise<number> {
  const dir = join(config.data_dir, DATA_LAYOUT.deadLetters);
  const [action, ...ids] = words;
  if (action === "list") return list(dir);
  if (action === "replay") return replay(dir, submitOverHttp(urlOf(options), keyHeaders(options)), ids);
  process.stderr.write(`sightline: ${USAGE}\n`);
  return 2;
}

async function list(dir: string): Promise<number> {
  let count = 0;
  for await (const letter of listDeadLetters(dir)) {
    count++;
    const when = new Date(letter.failedAtMs).toISOString();
    process.stdout.write(
      `${letter.id}  ${when}  ${letter.tenant}  ${letter.protocol}  ${letter.bodyBytes} bytes  ${letter.reason}: ${letter.message}\n`,
    );
  }
  process.stdout.write(count === 0 ? "no dead letters\n" : `${count} dead ${count === 1 ? "letter" : "letters"}\n`);
  return 0;
}

async function replay(dir: string, submit: Submit, ids: readonly string[]): Promise<number> {
  let [sent, failed] = [0, 0];
  for await (const { letter, error, note } of replayDeadLetters(dir, submit, ids.length > 0 ? ids : undefined)) {
    if (error === undefined) {
      sent++;
      process.stdout.write(`${letter.id}  accepted${note ? `, but: ${note}` : ""}\n`);
    } else {
      failed++;
      process.stdout.write(`${letter.id}  still refused: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  process.stdout.write(`${sent} replayed, ${failed} refused again\n`);
  return failed === 0 ? 0 : 1;
}
