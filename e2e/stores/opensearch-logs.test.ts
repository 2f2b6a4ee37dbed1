import { describeLogStore } from "@sightline/storage-conformance/log-store.ts";
import { OpenSearchLogStore } from "@sightline/storage-opensearch/logs/open-search-log-store.ts";
import { afterAll, beforeAll, describe } from "vitest";
import { OpenSearchFixtures, type OpenSearchNode, openSearchMissing, openSearchNode } from "./opensearch-fixtures.ts";

const missing = openSearchMissing();

describe.skipIf(missing !== undefined)("on OpenSearch", () => {
  let node: OpenSearchNode;
  let fixtures: OpenSearchFixtures<OpenSearchLogStore>;
  beforeAll(async () => {
    node = await openSearchNode();
    fixtures = new OpenSearchFixtures(node.url, (options) => new OpenSearchLogStore(options));
  }, 1_200_000);
  afterAll(async () => {
    await fixtures?.dispose();
    await node?.dispose();
  });
  describeLogStore("OpenSearchLogStore", () => fixtures.make());
});
