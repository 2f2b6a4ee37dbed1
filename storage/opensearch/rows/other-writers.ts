import type { OpenSearchConnection } from "../connection/open-search-connection.ts";
import type { IndexNames } from "./index-names.ts";

/** Who has written nothing for so long has nothing in memory. */
const ACTIVE_MS = 3_600_000;

type CountAnswer = { readonly hits: { readonly total: { readonly value: number } } };

/** Whether other processes write rows of the signal, and so may have some that no search finds yet. */
export async function areOthersWriting(
  connection: OpenSearchConnection,
  { state }: IndexNames,
  self: { readonly signal: string; readonly writer: string },
): Promise<boolean> {
  const recent = { range: { at: { gte: Date.now() - ACTIVE_MS } } };
  const filter = [{ term: { kind: "writer" } }, { term: { signal: self.signal } }, recent];
  const { body } = await connection.send<CountAnswer>("look for writers", {
    method: "POST",
    path: `/${state}/_search`,
    query: { ignore_unavailable: true },
    body: { size: 0, query: { bool: { filter, must_not: [{ term: { writer: self.writer } }] } } },
  });
  return body.hits.total.value > 0;
}
