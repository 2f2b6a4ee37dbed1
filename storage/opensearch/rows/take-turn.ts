import type { OpenSearchConnection } from "../connection/open-search-connection.ts";

const NOT_FOUND = 404;
const CONFLICT = 409;

type Note = {
  readonly _seq_no: number;
  readonly _primary_term: number;
  readonly _source: { readonly at: number };
};

/**
 * True when nobody has taken a turn at the work for `intervalMs`, and this process has now: of several that ask at the same time
 * it is one. Kept in the cluster, as there is no Redis everywhere.
 */
export async function takeTurn(
  connection: OpenSearchConnection,
  index: string,
  work: string,
  { intervalMs, nowMs }: { readonly intervalMs: number; readonly nowMs: number },
): Promise<boolean> {
  const path = `/${index}/_doc/${encodeURIComponent(work)}`;
  const { status, body } = await connection.send<Note>("read turn", { method: "GET", path, accept: [NOT_FOUND] });
  const last = status === NOT_FOUND ? undefined : body;
  // A clock that was ahead must not stop the work for ever.
  if (last && Math.abs(nowMs - last._source.at) < intervalMs) return false;
  const ifSame = last ? { if_seq_no: last._seq_no, if_primary_term: last._primary_term } : { op_type: "create" };
  const taken = await connection.send("take turn", {
    method: "PUT",
    path,
    query: ifSame,
    body: { kind: "turn", at: nowMs },
    accept: [CONFLICT],
  });
  return taken.status !== CONFLICT;
}
