import { gzipSync } from "node:zlib";
import { ProtobufWriter } from "@sightline/e2e/harness/protobuf-writer.ts";
import { seededRandom } from "@sightline/model/seeded-random.ts";
import { compressSync } from "snappy";
import { normal } from "./random.ts";
import { SERVICES } from "./services.ts";
import type { Payload, Workload, WorkloadOptions } from "./workload.ts";

export const METRIC_INTERVAL_MS = 15_000;
export const STEPS_PER_SERIES = 120;
const SAMPLES_PER_REQUEST = 2_000;
const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"];
const STATUSES = ["200", "201", "204", "301", "400", "404", "500", "503"];
const GAUGES = ["process_resident_memory_megabytes", "cpu_utilization_percent", "queue_depth_avg", "cache_hit_percent"];

export type Series = {
  readonly labels: readonly (readonly [string, string])[];
  readonly kind: "counter" | "gauge";
  readonly speed: number;
  value: number;
};
/** A scrape target: 48 counters and 24 gauges that share their timestamps. */
export type Target = { readonly series: Series[]; readonly offsetMs: number };
type Scrape = { readonly target: Target; readonly timeMs: number; readonly values: readonly number[] };

/** `prefix` goes before the names of its metrics. */
export function makeTarget(index: number, random: () => number, prefix = ""): Target {
  const service = SERVICES[index % SERVICES.length] as string;
  const common = [
    ["cluster", `eu-west-${(index % 3) + 1}-prod`],
    ["container", service],
    ["instance", `10.16.${index >> 7}.${(index & 127) + 1}:8080`],
    ["job", `${service}-service`],
    ["namespace", `team-${service}`],
    ["node", `ip-10-16-${index & 127}-17.eu-west-1.compute.internal`],
    ["pod", `${service}-7f9c4b6d5-${index.toString(36).padStart(5, "x")}`],
  ] as const;
  const series: Series[] = [];
  const add = (name: string, extra: readonly (readonly [string, string])[], kind: Series["kind"]) => {
    const labels = [["__name__", prefix + name], ...common, ...extra].sort(([a], [b]) =>
      (a as string) < (b as string) ? -1 : 1,
    ) as [string, string][];
    series.push({ labels, kind, speed: Math.exp(random() * 6 - 1), value: Math.floor(random() * 1e6) });
  };
  for (const method of METHODS)
    for (const status of STATUSES)
      add(
        "http_requests_total",
        [
          ["method", method],
          ["status", status],
        ],
        "counter",
      );
  for (const name of GAUGES) for (const shard of ["a", "b", "c", "d", "e", "f"]) add(name, [["shard", shard]], "gauge");
  return { series, offsetMs: Math.floor(random() * METRIC_INTERVAL_MS) };
}

/** The next value of a series. */
export function advance(series: Series, random: () => number): number {
  const mean = series.speed * 10;
  if (series.kind === "counter") series.value += Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  else series.value = Math.round(Math.abs((series.value % 100) + normal(random)) * 100) / 100;
  return series.value;
}

/** All series of a step before the next step, cut into requests of about {@link SAMPLES_PER_REQUEST} samples. */
function* scrapes({ items, endMs, seed }: WorkloadOptions): Generator<Scrape[]> {
  const random = seededRandom(seed);
  const targets: Target[] = [];
  const wantedSeries = Math.max(72, Math.round(items / STEPS_PER_SERIES));
  for (let count = 0; count < wantedSeries; count += 72) targets.push(makeTarget(targets.length, random));
  let batch: Scrape[] = [];
  let size = 0;
  for (let step = 0; step < STEPS_PER_SERIES; step++) {
    for (const target of targets) {
      const late = random() < 0.1 ? 1 + Math.floor(random() * 8) : 0;
      const timeMs =
        endMs - (STEPS_PER_SERIES - step) * METRIC_INTERVAL_MS + target.offsetMs - METRIC_INTERVAL_MS + late;
      batch.push({ target, timeMs, values: target.series.map((series) => advance(series, random)) });
      size += target.series.length;
      if (size < SAMPLES_PER_REQUEST) continue;
      yield batch;
      batch = [];
      size = 0;
    }
  }
  if (batch.length > 0) yield batch;
}

const itemsOf = (batch: readonly Scrape[]) => batch.reduce((sum, { values }) => sum + values.length, 0);

function encodeRemoteWrite1(batch: readonly Scrape[]): Uint8Array {
  const writer = new ProtobufWriter();
  for (const { target, timeMs, values } of batch) {
    target.series.forEach(({ labels }, i) => {
      writer.message(1, () => {
        for (const [name, value] of labels) writer.message(1, () => writer.string(1, name).string(2, value));
        writer.message(2, () => writer.double(1, values[i] as number).varint(2, timeMs));
      });
    });
  }
  return writer.finish();
}

function encodeRemoteWrite2(batch: readonly Scrape[]): Uint8Array {
  const symbols = new Map<string, number>([["", 0]]);
  const refOf = (text: string) => {
    let ref = symbols.get(text);
    if (ref === undefined) {
      ref = symbols.size;
      symbols.set(text, ref);
    }
    return ref;
  };
  const body = new ProtobufWriter();
  for (const { target, timeMs, values } of batch) {
    target.series.forEach(({ labels, kind }, i) => {
      body.message(5, () => {
        body.packed(
          1,
          labels.flatMap(([name, value]) => [refOf(name), refOf(value)]),
        );
        body.message(2, () => body.double(1, values[i] as number).varint(2, timeMs));
        body.message(5, () => body.varint(1, kind === "counter" ? 1 : 2));
      });
    });
  }
  const writer = new ProtobufWriter();
  for (const symbol of symbols.keys()) writer.string(4, symbol);
  return writer.raw(body.finish()).finish();
}

function encodeOtlp(batch: readonly Scrape[]): Uint8Array {
  const writer = new ProtobufWriter();
  const attribute = (field: number, key: string, value: string) =>
    writer.message(field, () => writer.string(1, key).message(2, () => writer.string(1, value)));
  for (const { target, timeMs, values } of batch) {
    const labels = new Map(target.series[0]?.labels);
    const timeNs = BigInt(timeMs) * 1_000_000n;
    writer.message(1, () => {
      writer.message(1, () => {
        attribute(1, "service.name", labels.get("job") as string);
        attribute(1, "service.instance.id", labels.get("instance") as string);
        for (const key of ["cluster", "namespace", "node", "pod"])
          attribute(1, `k8s.${key}.name`, labels.get(key) as string);
      });
      writer.message(2, () => {
        writer.message(1, () => writer.string(1, "bench").string(2, "1.0.0"));
        for (const [name, series] of Map.groupBy(
          target.series.entries(),
          ([, { labels: own }]) => own[0]?.[1] as string,
        )) {
          const sum = series[0]?.[1].kind === "counter";
          writer.message(2, () => {
            writer.string(1, sum ? name.replace(/_total$/, "") : name);
            writer.message(sum ? 7 : 5, () => {
              for (const [i, { labels: own }] of series) {
                writer.message(1, () => {
                  writer.fixed64(3, timeNs).double(4, values[i] as number);
                  for (const [key, value] of own)
                    if (["method", "status", "shard"].includes(key)) attribute(7, key, value);
                });
              }
              if (sum) writer.varint(2, 2).varint(3, 1);
            });
          });
        }
      });
    });
  }
  return writer.finish();
}

function encodeAll(options: WorkloadOptions, encode: (batch: readonly Scrape[]) => Uint8Array): Payload[] {
  const payloads: Payload[] = [];
  for (const batch of scrapes(options)) payloads.push({ body: encode(batch), items: itemsOf(batch) });
  return payloads;
}

const snappy = (raw: Uint8Array): Uint8Array => compressSync(Buffer.from(raw));

export const REMOTE_WRITE_1: Workload = {
  unit: "samples",
  signal: "metrics",
  path: "/api/v1/write",
  headers: {
    "content-type": "application/x-protobuf",
    "content-encoding": "snappy",
    "x-prometheus-remote-write-version": "0.1.0",
  },
  encode: (options) => encodeAll(options, (batch) => snappy(encodeRemoteWrite1(batch))),
};

export const REMOTE_WRITE_2: Workload = {
  ...REMOTE_WRITE_1,
  headers: {
    "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "content-encoding": "snappy",
    "x-prometheus-remote-write-version": "2.0.0",
  },
  encode: (options) => encodeAll(options, (batch) => snappy(encodeRemoteWrite2(batch))),
};

export const OTLP_METRICS: Workload = {
  unit: "samples",
  signal: "metrics",
  path: "/v1/metrics",
  headers: { "content-type": "application/x-protobuf", "content-encoding": "gzip" },
  encode: (options) => encodeAll(options, (batch) => gzipSync(encodeOtlp(batch), { level: 1 })),
};
