import { OpenSearchService } from "./opensearch.ts";
import { PostgresService } from "./postgres.ts";
import { RedisService } from "./redis.ts";

/**
 * Before the first test of `npm run test:stores`: brings what can be brought, says what is skipped and why, and starts the
 * node of OpenSearch that those files share which leave it alone, unless files are named. Gives what ends it.
 */
export async function setup(): Promise<() => Promise<void>> {
  OpenSearchService.prepare();
  for (const [name, missing] of [
    ["PostgreSQL", PostgresService.missing()],
    ["OpenSearch", OpenSearchService.missing()],
    ["Redis", RedisService.missing()],
  ]) {
    if (missing !== undefined) process.stderr.write(`skipped: everything on ${name}: ${missing}\n`);
  }
  const isWhole = !process.argv.some((argument) => argument.endsWith(".test.ts"));
  const isGiven = process.env.SIGHTLINE_OPENSEARCH_URL !== undefined;
  if (!isWhole || isGiven || OpenSearchService.missing() !== undefined) return async () => {};
  const node = await OpenSearchService.start();
  process.env.SIGHTLINE_OPENSEARCH_URL = node.url;
  return () => node.dispose();
}
