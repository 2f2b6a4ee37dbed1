import type { TenantId } from "@sightline/model/tenant.ts";
import type { LabelMap } from "./alert.ts";

/** An alert as rules tell of it. It has ended when `endsAtMs` is past, and does so at the latest then. */
export type PostedAlert = {
  readonly labels: LabelMap;
  readonly annotations: LabelMap;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly generatorUrl: string;
};

/** Who is told of alerts: the Alertmanager inside, and others over HTTP. */
export interface AlertSink {
  readonly name: string;
  /** Rejects when they could not be taken over; the caller says them again later. The array stays the caller's. */
  post(tenant: TenantId, alerts: readonly PostedAlert[]): Promise<void>;
}
