import { type QueryHandler, sendJson } from "../http/query-api.ts";

/**
 * `/api/v1/admin/tsdb/…`: answered as Prometheus answers while its admin API is off, because no store can delete or copy
 * what it keeps yet. The status, 500, is Prometheus', too.
 */
export const adminHandler: QueryHandler = async ({ reply }) => {
  const error = "admin APIs disabled: deleting series and making snapshots is not supported yet";
  return sendJson(reply.code(500), { status: "error", errorType: "unavailable", error });
};
