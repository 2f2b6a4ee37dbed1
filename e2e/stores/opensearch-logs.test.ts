import { describeLogStore } from "@sightline/storage-conformance/log-store.ts";
import { OpenSearchLogStore } from "@sightline/storage-opensearch/logs/open-search-log-store.ts";
import { afterAll, beforeAll, describe } from "vitest";
import { type OpenSearchNode, openSearchFixture, openSearchMissing, openSearchNode } from "./opensearch-fixtures.ts";

const missing = openSearchMissing();
if (missing !== undefined) process.stderr.write(`skipped: the log store on OpenSearch: ${missing}\n`);

describe.skipIf(missing !== undefined)("on OpenSearch", () => {
  let node: OpenSearchNode;
  beforeAll(async () => {
    node = await openSearchNode();
  }, 1_200_000);
  afterAll(() => node.dispose());
  describeLogStore("OpenSearchLogStore", () =>
    openSearchFixture(node.url, (options) => new OpenSearchLogStore(options)),
  );
});
