import type { Config } from "@sightline/config/schema.ts";
import type { Authenticator } from "@sightline/model/access.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { TextSealer } from "@sightline/model/sealed-text.ts";
import type { Registry } from "prom-client";
import type { CatalogStorage } from "./catalog-storage.ts";
import type { DATA_LAYOUT } from "./data-layout.ts";
import type { HttpListener } from "./http-listener.ts";
import type { MemoryGuard } from "./memory/memory-guard.ts";
import type { MetricStorage } from "./metric-storage.ts";
import type { LogStorage, TraceStorage } from "./row-storage.ts";
import type { SharedState } from "./shared-state.ts";
import type { TlsFiles } from "./tls/tls-files.ts";

/** What the parts of a process share. */
export type PartContext = {
  readonly config: Config;
  readonly registry: Registry;
  /** Of a package. */
  readonly logger: (name: string) => Logger;
  readonly memory: MemoryGuard;
  /** Of `listen`. */
  readonly http: HttpListener;
  readonly tls: TlsFiles | undefined;
  readonly authenticator: Authenticator;
  readonly sealer: TextSealer | undefined;
  /** Undefined in a process that needs none. */
  readonly catalog: CatalogStorage | undefined;
  readonly stores: {
    readonly metrics: MetricStorage["store"];
    readonly logs: LogStorage["store"];
    readonly traces: TraceStorage["store"];
  };
  readonly storage: { readonly metrics: MetricStorage; readonly logs: LogStorage; readonly traces: TraceStorage };
  readonly shared: SharedState;
  /** Below `data_dir`. */
  readonly dir: (name: keyof typeof DATA_LAYOUT) => string;
};
