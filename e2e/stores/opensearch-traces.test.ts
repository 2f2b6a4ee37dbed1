import { describeTraceStore } from "@sightline/storage-conformance/trace-store.ts";
import { OpenSearchTraceStore } from "@sightline/storage-opensearch/traces/open-search-trace-store.ts";
import { afterAll, beforeAll, describe } from "vitest";
import { OpenSearchFixtures, type OpenSearchNode, openSearchMissing, openSearchNode } from "./opensearch-fixtures.ts";

const missing = openSearchMissing();

describe.skipIf(missing !== undefined)("on OpenSearch", () => {
  let node: OpenSearchNode;
  let fixtures: OpenSearchFixtures<OpenSearchTraceStore>;
  beforeAll(async () => {
    node = await openSearchNode();
    fixtures = new OpenSearchFixtures(node.url, (options) => new OpenSearchTraceStore(options));
  }, 1_200_000);
  afterAll(async () => {
    await fixtures?.dispose();
    await node?.dispose();
  });
  describeTraceStore("OpenSearchTraceStore", () => fixtures.make());
});
