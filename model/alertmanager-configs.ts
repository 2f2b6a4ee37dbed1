import type { TenantId } from "./tenant.ts";

/** A configuration of Alertmanager that somebody put there for a tenant. Versions ascend from 1. */
export type StoredAlertmanagerConfig = {
  readonly tenant: TenantId;
  readonly version: number;
  /** As whoever put it there wrote it down, secrets included: never to be logged. "": it was removed. */
  readonly text: string;
  readonly changedAtMs: number;
  /** The API key and the address. */
  readonly changedBy: string;
};

/** So many versions of a tenant's configuration are kept. */
export const KEPT_ALERTMANAGER_CONFIGS = 100;

/** Where such configurations are kept, with what they were before. Several processes may use it at once. */
export interface AlertmanagerConfigCatalog {
  /** Those that are there, of all tenants; by tenant. */
  alertmanagerConfigs(): Promise<readonly StoredAlertmanagerConfig[]>;
  /** Differs from what it was when any process has changed one. Cheap. */
  alertmanagerConfigRevision(): Promise<number>;
  /**
   * One version more; the oldest goes when there are more than {@link KEPT_ALERTMANAGER_CONFIGS}. An empty text removes the
   * configuration. Durable once it settles; gives the version.
   */
  changeAlertmanagerConfig(config: Omit<StoredAlertmanagerConfig, "version">): Promise<number>;
  /** Newest first. */
  alertmanagerConfigVersions(tenant: TenantId): Promise<readonly StoredAlertmanagerConfig[]>;
}
