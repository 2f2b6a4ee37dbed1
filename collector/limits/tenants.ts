import { InvalidInputError, RateLimitedError, TooLargeError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { RejectionReason, Signal } from "@sightline/model/ports.ts";
import type { TextSealer } from "@sightline/model/sealed-text.ts";
import type { SharedLimits, SharedRates } from "@sightline/model/shared-state.ts";
import { SYSTEM_TENANT, type TenantId } from "@sightline/model/tenant.ts";
import type { Decoded, WireRequest } from "@sightline/proto/wire-request.ts";
import type { Registry } from "prom-client";
import type { CollectorConfig } from "../config.ts";
import { itemsOf } from "../ingest-result.ts";
import { type Pipelines, type Processed, process, reprocess } from "../processors/pipeline.ts";
import type { Steps } from "../processors/steps.ts";
import type { TailSamplingConfig } from "../tail-sampling/tail-sampling-config.ts";
import type { LoggedRequest } from "../wal/record.ts";
import { ActiveSeriesFiles } from "./active-series-files.ts";
import { LimitMetrics } from "./limit-metrics.ts";
import { makePipelines } from "./make-pipelines.ts";
import { OverridesFile } from "./overrides-file.ts";
import type { Overrides } from "./parse-overrides.ts";
import { RateSharing } from "./rate-sharing.ts";
import type { SavedSlots } from "./slots-codec.ts";
import { type TenantConfig, tenantConfig } from "./tenant-config.ts";
import { TokenBucket } from "./token-bucket.ts";

export type TenantsOptions = {
  readonly config: CollectorConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  /** For processors that encrypt; without it their settings are refused. */
  readonly sealer?: TextSealer | undefined;
  /**
   * Items that are not kept as they came and are in no rejection: those of requests that were refused before they were
   * decoded (estimated from the requests before), and those that were added up in overflow series.
   */
  readonly onDiscarded: (signal: Signal, tenant: TenantId, reason: RejectionReason, items: number) => void;
  /** Counts rates over all collectors; absent: each for itself. */
  readonly sharedRates?: SharedRates | undefined;
  /** Counts what it bounds over all collectors; absent: each for itself. */
  readonly sharedLimits?: SharedLimits | undefined;
  /** Where it is kept who is active, over restarts; absent: nowhere. */
  readonly stateDir?: string | undefined;
  /** The clock of the rates, for tests. */
  readonly nowMs?: () => number;
};

/** Of more, those known longest are forgotten, with what their buckets and pipelines remember. */
const MAX_TENANTS = 10_000;
/** After a crash the log knows the series that came since. */
const SAVE_EVERY_MS = 300_000;

/** One tenant's settings and what is remembered for them. */
type Tenant = {
  readonly config: TenantConfig;
  readonly settings: string;
  readonly pipelines: Pipelines;
  readonly rates: Readonly<Record<Signal, Rates>>;
};
type Rates = { readonly items: TokenBucket; readonly bytes: TokenBucket; itemsPerByte: number };

/** Applies to each tenant the limits and processors that are set for it. Tenants without any cost one look-up. */
export class Tenants {
  readonly #options: TenantsOptions;
  readonly #metrics: LimitMetrics;
  readonly #files: ActiveSeriesFiles | undefined;
  /** Of tenants that have not been heard of since the start. */
  #savedSeries: ReadonlyMap<string, SavedSlots> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  readonly #file: OverridesFile | undefined;
  readonly #sharing: RateSharing | undefined;
  readonly #unlimited = tenantConfig.parse({ logs: { find_trace_ids: false } });
  readonly #nothing = JSON.stringify(this.#unlimited);
  readonly #nowMs: () => number;
  #overrides: Overrides = new Map();
  /** In the order of their first use; undefined: nothing is set. */
  #tenants = new Map<TenantId, Tenant | undefined>();

  constructor(options: TenantsOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#metrics = new LimitMetrics(options.registry);
    const { sharedRates } = options;
    if (sharedRates) {
      this.#sharing = new RateSharing({ rates: sharedRates, logger: options.logger, nowMs: this.#nowMs });
    }
    this.#files = options.stateDir === undefined ? undefined : new ActiveSeriesFiles(options.stateDir);
    const { config, logger, registry } = options;
    this.#assertCanEncrypt("collector.tenants", config.tenants);
    if (config.overrides_file !== "") {
      this.#file = new OverridesFile({
        path: config.overrides_file,
        intervalMs: config.overrides_reload_interval_ms,
        defaults: config.tenants,
        logger,
        registry,
        onChange: (overrides) => {
          for (const [tenant, ofTenant] of overrides) this.#assertCanEncrypt(tenant, ofTenant);
          this.#reset(overrides);
        },
      });
    }
  }

  /** Throws `InvalidInputError` when the overrides file is wrong. */
  async start(): Promise<void> {
    await this.#file?.start();
    this.#sharing?.start();
    if (!this.#files) return;
    this.#savedSeries = await this.#files.load();
    this.#timer = setInterval(() => this.#saveInBackground(), SAVE_EVERY_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    await this.#sharing?.stop();
    clearInterval(this.#timer);
    if (this.#timer) this.#saveInBackground();
    this.#timer = undefined;
    await this.#saving;
    await this.#file?.stop();
  }

  #saveInBackground(): void {
    this.#saving = this.#saving.then(() => this.#saveActiveSeries());
  }

  async #saveActiveSeries(): Promise<void> {
    for (const [id, tenant] of this.#tenants) {
      const active = tenant?.pipelines.activeSeries;
      if (!active) continue;
      await this.#files?.save(id, active.saved()).catch((error: unknown) => {
        this.#options.logger.warn("which series are active was not saved", { tenant: id, error });
      });
    }
  }

  /**
   * Before a request is decoded, so that refusing it is cheap. Throws `TooLargeError`, or `RateLimitedError` when the
   * tenant has used up its rate.
   */
  admit(request: WireRequest, signal: Signal): void {
    const tenant = this.#of(request.tenant);
    if (!tenant) return;
    const limits = tenant.config.limits[signal];
    const { length } = request.body;
    if (limits.max_request_bytes > 0 && length > limits.max_request_bytes) {
      this.#refuse(tenant, request, signal, "max_request_bytes");
      throw new TooLargeError(
        `request body of ${length} bytes is larger than limits.${signal}.max_request_bytes (${limits.max_request_bytes}) ` +
          `of tenant ${request.tenant} allows: send smaller batches or raise it`,
      );
    }
    this.#checkRate(tenant, request, signal, "items");
    this.#checkRate(tenant, request, signal, "bytes");
    if (limits.bytes_per_second > 0) {
      const { bytes_per_second: rate, bytes_burst: burst } = limits;
      this.#take(request.tenant, tenant, signal, "bytes", length, rate, burst || rate);
    }
  }

  /** Of a decoded request that is about to be logged, in the order of the log. undefined when nothing happens to it. */
  *process(request: WireRequest, decoded: Decoded): Steps<Processed | undefined> {
    const tenant = this.#of(request.tenant);
    if (!tenant) return undefined;
    const { signal } = decoded;
    const items = itemsOf(decoded);
    this.#charge(request.tenant, tenant, signal, items, request.body.length);
    const steps = process(tenant.pipelines, decoded, request.receivedAtMs);
    let workedMs = 0;
    let processed: Processed | undefined;
    for (;;) {
      const start = performance.now();
      const step = steps.next();
      workedMs += performance.now() - start;
      if (step.done) {
        processed = step.value;
        break;
      }
      yield step.value;
    }
    if (processed) {
      const { overflowed } = processed.pass;
      if (overflowed > 0) this.#options.onDiscarded(signal, request.tenant, "series_limit", overflowed);
      this.#metrics.processed(signal, request.tenant, items, workedMs / 1_000, processed.pass);
    }
    return processed;
  }

  /** Of a request from the log: the same as the first time, unless the settings are others now. */
  reprocess(request: LoggedRequest, decoded: Decoded): Decoded {
    const tenant = this.#of(request.tenant);
    return tenant ? reprocess(tenant.pipelines, decoded, request.receivedAtMs, request.decisions) : decoded;
  }

  /** undefined when the tenant's traces are stored as they come. */
  tailSampling(id: TenantId): TailSamplingConfig | undefined {
    const config = this.#of(id)?.config.tail_sampling;
    return config && config.policies.length > 0 ? config : undefined;
  }

  #charge(id: TenantId, tenant: Tenant, signal: Signal, items: number, bytes: number): void {
    const { items_per_second: rate, items_burst: burst } = tenant.config.limits[signal];
    const rates = tenant.rates[signal];
    if (rate > 0) this.#take(id, tenant, signal, "items", items, rate, burst || rate);
    if (bytes > 0) rates.itemsPerByte += (items / bytes - rates.itemsPerByte) * (rates.itemsPerByte === 0 ? 1 : 0.1);
  }

  #take(
    id: TenantId,
    { rates }: Tenant,
    signal: Signal,
    what: "items" | "bytes",
    amount: number,
    rate: number,
    burst: number,
  ): void {
    const bucket = rates[signal][what];
    bucket.take(amount, this.#nowMs(), rate, burst);
    this.#sharing?.used(`${id}:${signal}:${what}`, bucket, amount, rate, burst);
  }

  #checkRate(tenant: Tenant, request: WireRequest, signal: Signal, what: "items" | "bytes"): void {
    const limits = tenant.config.limits[signal];
    const rate = limits[`${what}_per_second`];
    if (rate === 0) return;
    const bucket = tenant.rates[signal][what];
    const burst = limits[`${what}_burst`] || rate;
    const retryAfterMs = bucket.waitMs(this.#nowMs(), rate, burst);
    // Also who is refused wants to know what the others leave.
    this.#sharing?.used(`${request.tenant}:${signal}:${what}`, bucket, 0, rate, burst);
    if (retryAfterMs === 0) return;
    this.#refuse(tenant, request, signal, `${what}_per_second`);
    throw new RateLimitedError(
      `tenant ${request.tenant} sends more ${signal} than limits.${signal}.${what}_per_second (${rate}) allows: ` +
        "send again later, or raise it",
      { retryAfterMs },
    );
  }

  #refuse(tenant: Tenant, request: WireRequest, signal: Signal, limit: string): void {
    this.#metrics.refused(signal, request.tenant, limit);
    const items = Math.max(1, Math.round(request.body.length * tenant.rates[signal].itemsPerByte));
    const reason = limit === "max_request_bytes" ? "request_size" : "rate_limit";
    this.#options.onDiscarded(signal, request.tenant, reason, items);
  }

  #of(id: TenantId): Tenant | undefined {
    if (this.#tenants.has(id)) return this.#tenants.get(id);
    const tenant = this.#make(id, this.#configOf(id));
    if (this.#tenants.size >= MAX_TENANTS) this.#tenants.delete(this.#tenants.keys().next().value as TenantId);
    this.#tenants.set(id, tenant);
    return tenant;
  }

  /** What is set for everybody is not for the server's own telemetry: that would go blind when it is needed. */
  #configOf(id: TenantId): TenantConfig {
    return this.#overrides.get(id) ?? (id === SYSTEM_TENANT ? this.#unlimited : this.#options.config.tenants);
  }

  #assertCanEncrypt(place: string, { processors }: TenantConfig): void {
    if (this.#options.sealer || !JSON.stringify(processors).includes('"action":"encrypt"')) return;
    throw new InvalidInputError(`${place}: redact with the action encrypt needs a key: set sealing_key_file`);
  }

  #make(id: TenantId, config: TenantConfig, before?: Tenant): Tenant | undefined {
    const settings = JSON.stringify(config);
    if (settings === before?.settings) return before;
    if (settings === this.#nothing) return undefined;
    const pipelines = makePipelines(config, {
      tenant: id,
      maxSeries: this.#options.config.limits.max_series_interned,
      sealer: this.#options.sealer,
      sharedLimits: this.#options.sharedLimits,
    });
    const saved = before?.pipelines.activeSeries?.saved() ?? this.#savedSeries.get(id);
    if (saved) pipelines.activeSeries?.restore(saved);
    const rates = before?.rates ?? { metrics: newRates(), logs: newRates(), traces: newRates() };
    return { config, settings, rates, pipelines };
  }

  /** A tenant whose settings are the same goes on with what it remembers; rates go on in any case. */
  #reset(overrides: Overrides): void {
    this.#overrides = overrides;
    for (const [id, before] of this.#tenants) {
      this.#tenants.set(id, this.#make(id, this.#configOf(id), before));
    }
  }
}

function newRates(): Rates {
  return { items: new TokenBucket(), bytes: new TokenBucket(), itemsPerByte: 0 };
}
