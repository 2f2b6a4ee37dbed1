import type { LogqlResult } from "../logql/result.ts";

const CACHE = {
  entriesFound: 0,
  entriesRequested: 0,
  entriesStored: 0,
  bytesReceived: 0,
  bytesSent: 0,
  requests: 0,
  downloadTime: 0,
  queryLengthServed: 0,
};
const CHUNK = {
  headChunkBytes: 0,
  headChunkLines: 0,
  decompressedBytes: 0,
  decompressedLines: 0,
  compressedBytes: 0,
  totalDuplicates: 0,
  postFilterLines: 0,
  headChunkStructuredMetadataBytes: 0,
  decompressedStructuredMetadataBytes: 0,
};
const STORE = {
  totalChunksRef: 0,
  totalChunksDownloaded: 0,
  chunksDownloadTime: 0,
  queryReferencedStructuredMetadata: false,
  queryUsedV2Engine: false,
  chunk: CHUNK,
  chunkRefsFetchTime: 0,
  congestionControlLatency: 0,
  pipelineWrapperFilteredLines: 0,
  dataobj: {
    prePredicateDecompressedRows: 0,
    prePredicateDecompressedBytes: 0,
    prePredicateDecompressedStructuredMetadataBytes: 0,
    postPredicateRows: 0,
    postPredicateDecompressedBytes: 0,
    postPredicateStructuredMetadataBytes: 0,
    postFilterRows: 0,
    pagesScanned: 0,
    pagesDownloaded: 0,
    pagesDownloadedBytes: 0,
    pageBatches: 0,
    totalRowsAvailable: 0,
    totalPageDownloadTime: 0,
    wireBytesTransferred: 0,
  },
};

/** Loki's statistics: what is known here is real, what only Loki's parts could know (chunks, caches) is zero. */
export function statsJson({ value, stats }: LogqlResult): string {
  const { linesProcessed, bytesProcessed, linesMatched, execMs } = stats;
  const seconds = execMs / 1_000;
  const perSecond = (count: number) => (seconds > 0 ? Math.round(count / seconds) : 0);
  const chunk = {
    ...CHUNK,
    decompressedBytes: bytesProcessed,
    decompressedLines: linesProcessed,
    postFilterLines: linesMatched,
  };
  return JSON.stringify({
    summary: {
      bytesProcessedPerSecond: perSecond(bytesProcessed),
      linesProcessedPerSecond: perSecond(linesProcessed),
      totalBytesProcessed: bytesProcessed,
      totalLinesProcessed: linesProcessed,
      execTime: seconds,
      queueTime: 0,
      subqueries: 0,
      totalEntriesReturned: entriesReturned(value),
      splits: 0,
      shards: 0,
      totalPostFilterLines: linesMatched,
      totalStructuredMetadataBytesProcessed: 0,
    },
    querier: { store: { ...STORE, chunk }, querierExecTime: seconds },
    ingester: {
      totalReached: 0,
      totalChunksMatched: 0,
      totalBatches: 0,
      totalLinesSent: 0,
      store: STORE,
      recvWaitTime: 0,
    },
    cache: {
      chunk: CACHE,
      index: CACHE,
      result: CACHE,
      statsResult: CACHE,
      volumeResult: CACHE,
      seriesResult: CACHE,
      labelResult: CACHE,
      instantMetricResult: CACHE,
      logResult: CACHE,
      taskResult: CACHE,
    },
    index: {
      totalChunks: 0,
      postFilterChunks: 0,
      shardsDuration: 0,
      usedBloomFilters: false,
      totalStreams: 0,
      chunkRefsLookupTime: 0,
      bloomFilterTime: 0,
    },
  });
}

function entriesReturned(value: LogqlResult["value"]): number {
  if (value.type === "streams") return value.entries.length;
  if (value.type === "vector") return value.samples.length;
  return value.type === "matrix" ? value.series.length : 1;
}
