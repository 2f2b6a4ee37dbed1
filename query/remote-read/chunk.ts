/** As in prometheus.Chunk.Encoding of Prometheus' prompb/types.proto. */
export const XOR_CHUNK = 1;
export const FLOAT_HISTOGRAM_CHUNK = 3;

/** Some samples of one series, in an encoding of Prometheus' tsdb/chunkenc. Times include both ends. */
export type Chunk = {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly encoding: typeof XOR_CHUNK | typeof FLOAT_HISTOGRAM_CHUNK;
  readonly data: Uint8Array;
};

/** As Prometheus cuts its own chunks. */
export const SAMPLES_PER_CHUNK = 120;
