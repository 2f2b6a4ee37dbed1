import type { TenantId } from "@sightline/model/tenant.ts";
import type { SampleBuffer } from "./sample-buffer.ts";

/** What is written in one transaction: samples of all tenants that came one after the other. */
export class Generation {
  readonly number: number;
  readonly tenants = new Map<TenantId, SampleBuffer>();
  /** Of the requests in it; undefined: none. */
  firstPosition: number | undefined;
  lastPosition = Number.NEGATIVE_INFINITY;
  /** When the first one came, by `performance.now()`. */
  beganMs = 0;

  constructor(number: number) {
    this.number = number;
  }

  took(position: number): void {
    if (this.firstPosition === undefined) {
      this.firstPosition = position;
      this.beganMs = performance.now();
    }
    this.lastPosition = Math.max(this.lastPosition, position);
  }

  get samples(): number {
    let samples = 0;
    for (const { length, histograms, exemplars } of this.tenants.values()) {
      samples += length + histograms.length + exemplars.length;
    }
    return samples;
  }
}
