import { describeTraceStore } from "@sightline/storage-conformance/trace-store.ts";
import { OpenSearchTraceStore } from "@sightline/storage-opensearch/traces/open-search-trace-store.ts";
import { afterAll, beforeAll, describe } from "vitest";
import { type OpenSearchNode, openSearchFixture, openSearchMissing, openSearchNode } from "./opensearch-fixtures.ts";

const missing = openSearchMissing();
if (missing !== undefined) process.stderr.write(`skipped: the trace store on OpenSearch: ${missing}\n`);

describe.skipIf(missing !== undefined)("on OpenSearch", () => {
  let node: OpenSearchNode;
  beforeAll(async () => {
    node = await openSearchNode();
  }, 1_200_000);
  afterAll(() => node.dispose());
  describeTraceStore("OpenSearchTraceStore", () =>
    openSearchFixture(node.url, (options) => new OpenSearchTraceStore(options)),
  );
});
