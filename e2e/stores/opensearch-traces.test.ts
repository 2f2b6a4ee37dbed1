import { describeTraceStore } from "@sightline/storage-conformance/trace-store.ts";
import { OpenSearchTraceStore } from "@sightline/storage-opensearch/traces/open-search-trace-store.ts";
import { describe } from "vitest";
import { openSearchFixtures } from "./opensearch-fixtures.ts";

const fixtures = await openSearchFixtures();

describe.skipIf(!fixtures)("with OpenSearch", { timeout: 120_000 }, () => {
  describeTraceStore("OpenSearchTraceStore", () => fixtures!.make((options) => new OpenSearchTraceStore(options)));
});
