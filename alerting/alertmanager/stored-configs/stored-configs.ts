import type { AlertmanagerConfigCatalog, StoredAlertmanagerConfig } from "@sightline/model/alertmanager-configs.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { TenantId } from "@sightline/model/tenant.ts";

export type StoredConfigsOptions = {
  readonly catalog: AlertmanagerConfigCatalog;
  readonly watchIntervalMs: number;
  readonly logger: Logger;
};

/** Told which tenants' configurations are others than before, one call after the other. */
export type ConfigsChanged = (tenants: readonly TenantId[]) => Promise<void>;

/** What the catalog says of configurations of tenants, put there by this process or another one. */
export class StoredConfigs {
  readonly #options: StoredConfigsOptions;
  #known: ReadonlyMap<TenantId, StoredAlertmanagerConfig> = new Map();
  #revision: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #changed: ConfigsChanged = async () => {};
  #looking: Promise<void> = Promise.resolve();

  constructor(options: StoredConfigsOptions) {
    this.#options = options;
  }

  /** Reads them; from then on `changed` is told. */
  async start(changed: ConfigsChanged): Promise<void> {
    await this.look();
    this.#changed = changed;
    this.#timer = setInterval(() => void this.look(), this.#options.watchIntervalMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  get tenants(): readonly TenantId[] {
    return [...this.#known.keys()];
  }

  /** Undefined: the tenant has put none there. */
  of(tenant: TenantId): StoredAlertmanagerConfig | undefined {
    return this.#known.get(tenant);
  }

  /** Settles once what is there now is in use. A catalog that does not answer is asked again later. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { catalog, logger } = this.#options;
    try {
      const revision = await catalog.alertmanagerConfigRevision();
      if (revision === this.#revision) return;
      const before = this.#known;
      this.#known = new Map((await catalog.alertmanagerConfigs()).map((config) => [config.tenant, config]));
      this.#revision = revision;
      const all = new Set([...before.keys(), ...this.#known.keys()]);
      await this.#changed(
        [...all].filter((tenant) => before.get(tenant)?.version !== this.#known.get(tenant)?.version),
      );
    } catch (error) {
      logger.error("configurations of Alertmanager could not be read from the catalog, they stay as they were", {
        error,
      });
    }
  }
}
