import type { Component } from "@sightline/model/ports.ts";
import { Counter, type Registry } from "prom-client";
import type { Logging, LogLine } from "../logging.ts";
import { resourceAttributes, type SelfResource, type SubmitOwn } from "./submit.ts";

const FLUSH_INTERVAL_MS = 1_000;
const MAX_BUFFERED_LINES = 5_000;

/** OpenTelemetry severity number and text by pino level. */
const SEVERITY: Readonly<Record<number, readonly [number: number, text: string]>> = {
  20: [5, "DEBUG"],
  30: [9, "INFO"],
  40: [13, "WARN"],
  50: [17, "ERROR"],
};

/** Keeps the process' own log lines, once a second. Bounded: beyond {@link MAX_BUFFERED_LINES} lines are dropped and counted. */
export class OwnLogs implements Component {
  readonly name = "own logs";
  readonly #logging: Logging;
  readonly #submit: SubmitOwn;
  readonly #resource: SelfResource;
  readonly #dropped: Counter<"reason">;
  #buffer: LogLine[] = [];
  #stopListening: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: { logging: Logging; submit: SubmitOwn; resource: SelfResource; registry: Registry }) {
    this.#logging = options.logging;
    this.#submit = options.submit;
    this.#resource = options.resource;
    this.#dropped = new Counter({
      name: "sightline_own_log_lines_dropped_total",
      help: "Own log lines that were written to standard error but could not be kept.",
      labelNames: ["reason"],
      registers: [options.registry],
    });
  }

  async start(): Promise<void> {
    this.#stopListening = this.#logging.listen((line) => {
      if (this.#buffer.length < MAX_BUFFERED_LINES) this.#buffer.push(line);
      else this.#dropped.inc({ reason: "buffer_full" });
    });
    this.#timer = setInterval(() => this.#flush(), FLUSH_INTERVAL_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    this.#stopListening?.();
    clearInterval(this.#timer);
    this.#flush();
    await this.#running;
  }

  #flush(): void {
    if (this.#buffer.length === 0) return;
    const lines = this.#buffer;
    this.#buffer = [];
    // A failure is not logged: the line about it would be the next thing that can't be kept.
    this.#running = this.#running
      .then(() => this.#submit("otlp-logs-json", Buffer.from(JSON.stringify(this.#toOtlp(lines)))))
      .catch(() => this.#dropped.inc({ reason: "not_kept" }, lines.length));
  }

  #toOtlp(lines: readonly LogLine[]): object {
    const byPackage = Map.groupBy(lines, (line) => line.package);
    return {
      resourceLogs: [
        {
          resource: { attributes: resourceAttributes(this.#resource) },
          scopeLogs: [...byPackage].map(([name, own]) => ({ scope: { name }, logRecords: own.map(toRecord) })),
        },
      ],
    };
  }
}

function toRecord(line: LogLine): object {
  const { level, time, package: _scope, msg, ...fields } = line;
  const [severityNumber, severityText] = SEVERITY[level] ?? [0, ""];
  const timeUnixNano = `${Math.round(time)}000000`;
  return {
    timeUnixNano,
    observedTimeUnixNano: timeUnixNano,
    severityNumber,
    severityText,
    body: { stringValue: msg },
    attributes: Object.entries(fields).map(([key, value]) => ({
      key,
      value: { stringValue: typeof value === "string" ? value : JSON.stringify(value) },
    })),
  };
}
