import { parseArgs } from "node:util";
import { SERVICES, type ServiceName } from "./shop.ts";

export type DemoOptions = {
  /** Base URL of OTLP/HTTP, without a slash at the end. */
  readonly endpoint: string;
  /** Customers' requests per second, on average over a working day. */
  readonly rate: number;
  readonly failing: ReadonlySet<ServiceName>;
  /** 0 for no history. */
  readonly backfillMs: number;
  /** Go on live after the history. Always true without one. */
  readonly follow: boolean;
  /** Of the live part; undefined: until it is stopped. */
  readonly durationMs: number | undefined;
  /** Share of the requests in the history whose spans and logs are sent; metrics count all of them. */
  readonly backfillTraces: number;
  readonly seed: number;
};

/** The command line is not understood. The message says what to write instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const HELP = `Sends the telemetry of a simulated shop to an OTLP/HTTP endpoint: traces over eight
services, logs with trace ids, metrics with exemplars, with a rhythm of day and night.

Usage: npm run demo -- [options]

  --endpoint URL        where to send (default http://127.0.0.1:4318)
  --rate N              requests per second to the shop, on average over a day (default 5)
  --fail SERVICE        make a service slow and erroneous; may be repeated
                        (${SERVICES.join(", ")})
  --backfill DURATION   first write a history, quickly, under its own timestamps: 24h
  --backfill-traces N   share of the requests in the history that are traced and logged (default 0.05)
  --follow              go on live after the history
  --duration DURATION   end after that long (default: run until stopped)
  --seed N              make another shop day; equal seeds make equal ones (default 1)
  --help                print this

Durations are a number and a unit: 90s, 15m, 24h, 7d.`;

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const MAX_RATE = 10_000;
const MAX_BACKFILL_MS = 366 * 86_400_000;

/** Undefined when help is asked for. Throws {@link UsageError}. */
export function parseOptions(args: readonly string[]): DemoOptions | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const backfillMs = values.backfill === undefined ? 0 : duration("--backfill", values.backfill);
  if (backfillMs > MAX_BACKFILL_MS) throw new UsageError("--backfill writes at most 366d");
  return {
    endpoint: endpoint(values.endpoint ?? "http://127.0.0.1:4318"),
    rate: number("--rate", values.rate ?? "5", MAX_RATE),
    failing: new Set((values.fail ?? []).map(serviceName)),
    backfillMs,
    follow: backfillMs === 0 || values.follow === true,
    durationMs: values.duration === undefined ? undefined : duration("--duration", values.duration),
    backfillTraces: number("--backfill-traces", values["backfill-traces"] ?? "0.05", 1),
    seed: number("--seed", values.seed ?? "1", 2 ** 32 - 1),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        endpoint: { type: "string" },
        rate: { type: "string" },
        fail: { type: "string", multiple: true },
        backfill: { type: "string" },
        "backfill-traces": { type: "string" },
        follow: { type: "boolean" },
        duration: { type: "string" },
        seed: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}

function endpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new UsageError(`--endpoint ${text} is not a URL: write it like http://127.0.0.1:4318`);
  }
  return text.replace(/\/+$/, "");
}

function number(option: string, text: string, max: number): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= max)) {
    throw new UsageError(`${option} ${text}: a number between 0 and ${max} is expected`);
  }
  return value;
}

function duration(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text);
  const ms = match ? Number(match[1]) * (UNIT_MS[match[2] as string] as number) : 0;
  if (ms <= 0) throw new UsageError(`${option} ${text}: a duration like 90s, 15m, 24h or 7d is expected`);
  return ms;
}

function serviceName(text: string): ServiceName {
  const name = SERVICES.find((service) => service === text);
  if (!name) throw new UsageError(`--fail ${text}: there is no such service; there are ${SERVICES.join(", ")}`);
  return name;
}
