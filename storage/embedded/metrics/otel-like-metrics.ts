import type { Labels } from "@sightline/model/labels.ts";
import { labelsFrom } from "@sightline/model/labels.ts";
import { seededRandom } from "@sightline/model/seeded-random.ts";

/**
 * Made-up scrape targets for benchmarks and size tests: 96 series each with a realistic mix (one histogram of 12
 * series, 12 constants, 24 gauges with two decimals, 48 noisy counters), one scrape in ten late by some ms, and a
 * restart about every 2,000 scrapes. The same seed gives the same data.
 */
const SUM = 10;
const COUNT = 11;
const CONSTANTS = 12;
const GAUGES = 24;
const COUNTERS = 48;
export const SERIES_PER_TARGET = 96;

const BOUNDS = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "+Inf"];
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];
const STATUSES = ["200", "201", "204", "301", "400", "404", "500", "503"];
const SERVICES = [
  "checkout",
  "cart",
  "payments",
  "frontend",
  "catalogue",
  "shipping",
  "currency",
  "email",
  "ads",
  "search",
];

export class ScrapeTarget {
  readonly labels: readonly Labels[];
  readonly values = new Float64Array(SERIES_PER_TARGET);
  readonly #speeds = new Float64Array(SERIES_PER_TARGET);
  readonly #offsetMs: number;
  readonly #random: () => number;

  constructor(n: number, intervalMs: number) {
    this.#random = seededRandom(Math.imul(n + 1, 0x9e3779b1));
    this.#offsetMs = Math.floor(this.#random() * intervalMs);
    this.labels = labelsOfTarget(n);
    for (let slot = COUNT + 1; slot < SERIES_PER_TARGET; slot++) {
      if (slot < GAUGES) this.values[slot] = 1 + this.#below(4) * this.#below(1024);
      else if (slot < COUNTERS) this.values[slot] = this.#random() * 100;
      else {
        this.#speeds[slot] = Math.exp(this.#random() * 8 - 2) / (1 + slot - COUNTERS);
        this.values[slot] = this.#below(1_000_000);
      }
    }
  }

  /** Moves every series one scrape on and returns the scrape's time. */
  advance(scheduledMs: number): number {
    const { values } = this;
    let timeMs = scheduledMs + this.#offsetMs;
    if (this.#below(10) === 0) timeMs += 1 + this.#below(8);
    if (this.#below(2000) === 0) values.fill(0, 0, CONSTANTS).fill(0, COUNTERS);
    let observed = 0;
    for (let bucket = 0; bucket < BOUNDS.length; bucket++) {
      observed += this.#below(12 - bucket);
      (values[bucket] as number) += observed;
    }
    (values[COUNT] as number) += observed;
    (values[SUM] as number) += Math.round(observed * this.#random() * 300) / 1000;
    for (let slot = GAUGES; slot < COUNTERS; slot++) {
      values[slot] = Math.round(Math.abs((values[slot] as number) + this.#normal()) * 100) / 100;
    }
    for (let slot = COUNTERS; slot < SERIES_PER_TARGET; slot++) {
      const mean = (this.#speeds[slot] as number) * 10;
      (values[slot] as number) += Math.max(0, Math.round(mean + Math.sqrt(mean) * this.#normal()));
    }
    return timeMs;
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n);
  }

  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
  }
}

function labelsOfTarget(n: number): Labels[] {
  const service = SERVICES[n % SERVICES.length] as string;
  const target = {
    cluster: `eu-west-${(Math.floor(n / SERVICES.length) % 3) + 1}-prod`,
    container: service,
    instance: `10.${16 + (n >> 14)}.${(n >> 7) & 127}.${(n & 127) + 1}:8080`,
    job: `${service}-service`,
    namespace: `team-${service}`,
    node: `ip-10-${16 + (n >> 10)}-${(n >> 3) & 127}-17.eu-west-1.compute.internal`,
    pod: `${service}-7c9f8d6b5-${(n * 7919 + 104729).toString(36)}`,
  };
  return Array.from({ length: SERIES_PER_TARGET }, (_, slot) => labelsFrom({ ...target, ...labelsOfSlot(slot) }));
}

function labelsOfSlot(slot: number): Record<string, string> {
  const histogram = "http_request_duration_seconds";
  if (slot < SUM) return { __name__: `${histogram}_bucket`, le: BOUNDS[slot] as string };
  if (slot === SUM) return { __name__: `${histogram}_sum` };
  if (slot === COUNT) return { __name__: `${histogram}_count` };
  if (slot < GAUGES) return { __name__: `constant_${slot - CONSTANTS}` };
  if (slot < COUNTERS) return { __name__: `gauge_${(slot - GAUGES) >> 1}`, shard: slot % 2 === 0 ? "a" : "b" };
  const counter = slot - COUNTERS;
  const [method, status] = [METHODS[counter >> 3] as string, STATUSES[counter & 7] as string];
  return { __name__: "http_requests_total", method, status };
}
