import type { OpenSearchConnection } from "../connection/open-search-connection.ts";
import type { IndexNames } from "./index-names.ts";

const NOT_FOUND = 404;
/** Left over from a crash; there is no reason to hurry. */
const CLEAN_UP_TIMEOUT_MS = 300_000;

/** Up to where a writer's rows are in OpenSearch for good: a document of its own, read by its id. */
export class WriterCheckpoint {
  readonly #connection: OpenSearchConnection;
  readonly #names: IndexNames;
  readonly #writer: string;
  readonly #path: string;
  readonly #signal: "logs" | "traces";
  #position = -1;
  /** Names of the indexes that were written to when that was last looked up. */
  #targets = "";

  constructor(connection: OpenSearchConnection, names: IndexNames, signal: "logs" | "traces", writer: string) {
    this.#connection = connection;
    this.#names = names;
    this.#writer = writer;
    this.#signal = signal;
    this.#path = `/${names.state}/_doc/writer-${signal}-${encodeURIComponent(writer)}`;
  }

  /** -1 when the writer has written nothing yet. */
  async read(): Promise<number> {
    const { status, body } = await this.#connection.send<{ readonly _source?: { readonly position?: number } }>(
      "read checkpoint",
      { method: "GET", path: this.#path, accept: [NOT_FOUND] },
    );
    this.#position = status === NOT_FOUND ? -1 : (body._source?.position ?? -1);
    this.#targets = await this.#writeIndexes();
    return this.#position;
  }

  /** Durable when it settles. */
  async write(position: number): Promise<void> {
    const body = { kind: "writer", signal: this.#signal, writer: this.#writer, position, at: Date.now() };
    await this.#connection.send("write checkpoint", { method: "PUT", path: this.#path, body });
    this.#position = position;
  }

  /**
   * To be called before rows are sent again of which nobody knows whether they got through. When a data stream has rolled
   * over since, they would go to another index now, where their ids are not known.
   */
  async beforeRetry(): Promise<void> {
    const targets = await this.#writeIndexes();
    if (targets === this.#targets) return;
    await this.removeUnfinished();
    this.#targets = targets;
  }

  /** Removes this writer's rows above the checkpoint: they will come again. */
  async removeUnfinished(): Promise<void> {
    const position = this.#position;
    const own = { term: { writer: this.#writer } };
    const query = { bool: { filter: [own, { range: { position: { gt: position } } }] } };
    const options = { ignore_unavailable: true, allow_no_indices: true };
    await this.#connection.send("refresh", { method: "POST", path: `/${this.#names.all}/_refresh`, query: options });
    await this.#connection.send("remove unfinished rows", {
      method: "POST",
      path: `/${this.#names.all}/_delete_by_query`,
      query: { ...options, conflicts: "proceed", refresh: true },
      body: { query },
      timeoutMs: CLEAN_UP_TIMEOUT_MS,
    });
  }

  async #writeIndexes(): Promise<string> {
    const { body } = await this.#connection.send<{
      readonly data_streams?: readonly { readonly indices: readonly { readonly index_name: string }[] }[];
    }>("list data streams", { method: "GET", path: `/_data_stream/${this.#names.all}`, accept: [NOT_FOUND] });
    return (body.data_streams ?? []).map(({ indices }) => indices.at(-1)?.index_name).join();
  }
}
