import { to as copyTo } from "pg-copy-streams";
import { BinaryCopyParser, type CopyRowSink } from "./binary-copy-parser.ts";
import type { Client } from "./database.ts";

/**
 * Gives the rows of a query to a sink, as they come. COPY takes no parameters: `sql` may hold nothing but numbers and what this
 * code wrote. Stops soon after `signal` aborts; the connection is not usable then.
 */
export async function copyOut(
  client: Client,
  sql: string,
  fields: number,
  sink: CopyRowSink,
  signal: AbortSignal | undefined,
): Promise<void> {
  const stream = client.query(copyTo(`COPY (${sql}) TO STDOUT (FORMAT binary)`));
  const parser = new BinaryCopyParser(fields, sink);
  for await (const piece of stream) {
    parser.push(piece as Buffer);
    signal?.throwIfAborted();
  }
}

/** An array constant of integers. */
export function intArray(values: Iterable<bigint | number>): string {
  return `'{${[...values].join(",")}}'`;
}
