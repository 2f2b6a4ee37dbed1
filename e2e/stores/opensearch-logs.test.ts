import { describeLogStore } from "@sightline/storage-conformance/log-store.ts";
import { OpenSearchLogStore } from "@sightline/storage-opensearch/logs/open-search-log-store.ts";
import { describe } from "vitest";
import { openSearchFixtures } from "./opensearch-fixtures.ts";

const fixtures = await openSearchFixtures();

describe.skipIf(!fixtures)("with OpenSearch", { timeout: 120_000 }, () => {
  describeLogStore("OpenSearchLogStore", () => fixtures!.make((options) => new OpenSearchLogStore(options)));
});
