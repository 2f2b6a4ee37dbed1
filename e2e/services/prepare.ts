import { OpenSearchService } from "./opensearch.ts";
import { PostgresService } from "./postgres.ts";
import { RedisService } from "./redis.ts";

/** Before the first test of `npm run test:stores`: brings what can be brought, and says what is skipped and why. */
export function setup(): void {
  OpenSearchService.prepare();
  for (const [name, missing] of [
    ["PostgreSQL", PostgresService.missing()],
    ["OpenSearch", OpenSearchService.missing()],
    ["Redis", RedisService.missing()],
  ]) {
    if (missing !== undefined) process.stderr.write(`skipped: everything on ${name}: ${missing}\n`);
  }
}
