import type { Ingest } from "@sightline/collector/ingest.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { AppendResult, Writer } from "@sightline/model/ports.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { encodeRemoteWrite } from "./encode-remote-write.ts";

/**
 * Samples of rules take the way of everybody's: over the write-ahead log, so that they are there after a crash, and under
 * the tenant's limits.
 */
export class IngestMetricWriter implements Pick<Writer<MetricBatch>, "append"> {
  readonly #ingest: Pick<Ingest, "submit">;

  constructor(ingest: Pick<Ingest, "submit">) {
    this.#ingest = ingest;
  }

  /** The log numbers the request. */
  async append(tenant: TenantId, batch: MetricBatch): Promise<AppendResult> {
    const { accepted, rejected } = await this.#ingest.submit({
      tenant,
      protocol: "remote-write-1",
      encoding: "identity",
      receivedAtMs: Date.now(),
      body: encodeRemoteWrite(batch),
    });
    return { accepted, rejected };
  }
}
