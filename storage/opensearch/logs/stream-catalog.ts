import type { LogStream } from "@sightline/model/log-batch.ts";
import type { OpenSearchConnection } from "../connection/open-search-connection.ts";
import { SEARCH_OPTIONS } from "../rows/search-rows.ts";
import { type LogCodec, STREAM_SOURCE, type StreamSource } from "./log-codec.ts";

type StreamsAnswer = {
  readonly hits?: {
    readonly hits?: readonly { readonly _source: StreamSource }[];
  };
};

const IDS_PER_REQUEST = 500;
const MAX_KNOWN = 20_000;

/** What streams are behind the ids by which OpenSearch counts. An id is made of all that a stream is: it never changes. */
export class StreamCatalog {
  readonly #connection: OpenSearchConnection;
  readonly #index: string;
  readonly #codec: LogCodec;
  readonly #known = new Map<string, LogStream>();

  constructor(connection: OpenSearchConnection, index: string, codec: LogCodec) {
    this.#connection = connection;
    this.#index = index;
    this.#codec = codec;
  }

  /** Those that are gone meanwhile are left out. */
  async byId(ids: ReadonlySet<string>, signal: AbortSignal): Promise<ReadonlyMap<string, LogStream>> {
    const found = new Map<string, LogStream>();
    const unknown: string[] = [];
    for (const id of ids) {
      const stream = this.#known.get(id);
      if (stream) found.set(id, stream);
      else unknown.push(id);
    }
    for (let i = 0; i < unknown.length; i += IDS_PER_REQUEST) {
      for (const [id, stream] of await this.#read(unknown.slice(i, i + IDS_PER_REQUEST), signal)) found.set(id, stream);
    }
    return found;
  }

  async #read(ids: readonly string[], signal: AbortSignal): Promise<readonly (readonly [string, LogStream])[]> {
    const { body } = await this.#connection.send<StreamsAnswer>(
      "list streams",
      {
        method: "POST",
        path: `/${this.#index}/_search`,
        query: { ...SEARCH_OPTIONS, filter_path: "hits.hits._source" },
        body: {
          size: ids.length,
          track_total_hits: false,
          query: { bool: { filter: [{ terms: { stream_id: ids } }] } },
          collapse: { field: "stream_id" },
          _source: STREAM_SOURCE,
        },
      },
      signal,
    );
    return (body.hits?.hits ?? []).map(({ _source }) => {
      const stream = this.#codec.streamOfSource(_source);
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(_source.stream_id, stream);
      return [_source.stream_id, stream] as const;
    });
  }
}
