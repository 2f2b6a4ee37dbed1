/** `npm run bench -- load`: writes what bench/query-set.ts asks for to servers that take remote write. */
import { parseArgs } from "node:util";
import { ProtobufWriter } from "@sightline/e2e/harness/protobuf-writer.ts";
import { seededRandom } from "@sightline/model/seeded-random.ts";
import { compressSync } from "snappy";
import { advance, METRIC_INTERVAL_MS, makeTarget, type Target } from "./workloads/metrics.ts";

const HELP = `usage: npm run bench -- load --url URL [--url URL …] [--end UNIX_SECONDS] [--scale FACTOR]

Writes 24 hours of 2,000 series, and one hour of 40,000 more, to every URL of a remote write 1.0 endpoint, such as
http://127.0.0.1:4319/api/v1/write: the data that \`npm run bench -- queries\` asks for. The same on every run but for its
end, which is printed and is the last full minute unless given. --scale 0.1 writes a tenth of the series.
`;
const SETS = [
  { prefix: "", series: 2_000, steps: 5_760 },
  { prefix: "wide_", series: 40_000, steps: 240 },
];
const SAMPLES_PER_REQUEST = 2_000;
const RETRYABLE = new Set([429, 502, 503, 504]);
const BOUNDS = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "+Inf"];
const HISTOGRAM = "http_request_duration_seconds";

/** One target with a histogram; the labels of each of its series are encoded once. */
class EncodedTarget {
  readonly #target: Target;
  readonly #random: () => number;
  readonly #labels: readonly Uint8Array[];
  readonly #histogramLabels: readonly Uint8Array[];
  readonly #counts = new Float64Array(BOUNDS.length);

  constructor(index: number, random: () => number, prefix: string) {
    this.#target = makeTarget(index, random, prefix);
    this.#random = random;
    this.#labels = this.#target.series.map(({ labels }) => encodeLabels(labels));
    const own =
      this.#target.series[0]?.labels.filter(([name]) => !["__name__", "method", "status"].includes(name)) ?? [];
    const named = (name: string, extra: [string, string][]) =>
      encodeLabels([["__name__", `${prefix}${HISTOGRAM}${name}`] as [string, string], ...own, ...extra].sort(byName));
    this.#histogramLabels = [...BOUNDS.map((le) => named("_bucket", [["le", le]])), named("_count", [])];
  }

  get length(): number {
    return this.#labels.length + this.#histogramLabels.length;
  }

  /** One scrape of all its series. */
  write(writer: ProtobufWriter, scheduledMs: number): void {
    const { series, offsetMs } = this.#target;
    const late = this.#random() < 0.1 ? 1 + Math.floor(this.#random() * 8) : 0;
    const timeMs = scheduledMs + offsetMs + late;
    if (this.#random() < 1 / 2_000) this.#restart();
    series.forEach((one, i) => {
      writeSample(writer, this.#labels[i] as Uint8Array, advance(one, this.#random), timeMs);
    });
    let observed = 0;
    BOUNDS.forEach((_, bucket) => {
      observed += Math.floor(this.#random() * (12 - bucket));
      (this.#counts[bucket] as number) += observed;
      writeSample(writer, this.#histogramLabels[bucket] as Uint8Array, this.#counts[bucket] as number, timeMs);
    });
    writeSample(writer, this.#histogramLabels[BOUNDS.length] as Uint8Array, this.#counts.at(-1) as number, timeMs);
  }

  /** Counters begin again at zero. */
  #restart(): void {
    for (const one of this.#target.series) if (one.kind === "counter") one.value = 0;
    this.#counts.fill(0);
  }
}

/** Runs the command line after the word `load`. */
export async function loadQuerySet(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      url: { type: "string", multiple: true, default: [] },
      end: { type: "string", default: String(Math.floor(Date.now() / 60_000) * 60) },
      scale: { type: "string", default: "1" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help || values.url.length === 0) {
    process.stdout.write(HELP);
    return;
  }
  for (const { prefix, series, steps } of SETS) {
    const random = seededRandom(1);
    const targets: EncodedTarget[] = [];
    for (let count = 0; count < series * Number(values.scale); count += (targets.at(-1) as EncodedTarget).length) {
      targets.push(new EncodedTarget(targets.length, random, prefix));
    }
    process.stderr.write(`bench: ${targets.length} targets, ${steps} scrapes of each\n`);
    await send(values.url, targets, steps, Number(values.end) * 1_000);
  }
  process.stdout.write(`loaded; ask with --end ${values.end}\n`);
}

/** All series of a step before the next step. */
async function send(urls: readonly string[], targets: readonly EncodedTarget[], steps: number, endMs: number) {
  let writer = new ProtobufWriter();
  let samples = 0;
  const flush = async () => {
    const body = new Uint8Array(compressSync(Buffer.from(writer.finish())));
    writer = new ProtobufWriter();
    samples = 0;
    for (const url of urls) await post(url, body);
  };
  for (let step = 0; step < steps; step++) {
    for (const target of targets) {
      target.write(writer, endMs - (steps - step + 1) * METRIC_INTERVAL_MS);
      samples += target.length;
      if (samples >= SAMPLES_PER_REQUEST) await flush();
    }
  }
  if (samples > 0) await flush();
}

async function post(url: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const headers = {
    "content-type": "application/x-protobuf",
    "content-encoding": "snappy",
    "x-prometheus-remote-write-version": "0.1.0",
  };
  for (;;) {
    const response = await fetch(url, { method: "POST", headers, body });
    const text = await response.text();
    if (response.ok) return;
    if (!RETRYABLE.has(response.status)) throw new Error(`${url}: ${response.status} ${text.slice(0, 300)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function encodeLabels(labels: readonly (readonly [string, string])[]): Uint8Array {
  const writer = new ProtobufWriter();
  for (const [name, value] of labels) writer.message(1, () => writer.string(1, name).string(2, value));
  return writer.finish();
}

function writeSample(writer: ProtobufWriter, labels: Uint8Array, value: number, timeMs: number): void {
  writer.message(1, () => {
    writer.raw(labels);
    writer.message(2, () => writer.double(1, value).varint(2, timeMs));
  });
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}
