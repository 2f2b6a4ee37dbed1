import type { MetricMetadata, SeriesInfo } from "@sightline/model/metric-batch.ts";
import { tooManySeries } from "../../metrics/rejection-log.ts";
import type { MetricsSession } from "./metrics-session.ts";
import { type ResourceContext, TARGET_INFO } from "./resource-context.ts";

/** Half of PromQL's usual look-back, so that an instant query finds `target_info` wherever there are points. */
const INTERVAL_MS = 150_000;
/** For a request whose points are years apart. */
const MAX_SAMPLES = 1_000;

const INFO: SeriesInfo = { type: "gauge", unit: "", temporality: "", otelName: "" };
export const TARGET_INFO_METADATA: MetricMetadata = {
  metric: TARGET_INFO,
  type: "gauge",
  unit: "",
  help: "Target metadata",
};

/**
 * Appends `target_info` of a resource whose points have been read: a sample at the time of the oldest point, of the
 * newest, and every two and a half minutes between them (addResourceTargetInfo in Prometheus' prometheusremotewrite). Of
 * more than a thousand only the newest are made. `written` holds what the batch has already: one resource may come in
 * several pieces.
 */
export function appendTargetInfo(session: MetricsSession, resource: ResourceContext, written: Set<string>): boolean {
  const { earliestMs, latestMs, builder } = session;
  if (!resource.targetInfo || latestMs === 0) return false;
  const ref = session.interner.intern(resource.targetInfo, INFO);
  if (ref < 0) {
    session.refuse(tooManySeries());
    return false;
  }
  const between = Math.ceil((latestMs - earliestMs) / INTERVAL_MS);
  for (let i = Math.max(0, between - MAX_SAMPLES); i <= between; i++) {
    const timeMs = i === between ? latestMs : earliestMs + i * INTERVAL_MS;
    const key = `${ref}@${timeMs}`;
    if (written.has(key)) continue;
    written.add(key);
    builder.push(ref, timeMs, 0, 1);
  }
  return true;
}
