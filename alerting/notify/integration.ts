import type { Logger } from "@sightline/model/logger.ts";
import type { z } from "zod";
import type { NotificationTemplates } from "../templates/notification-templates.ts";
import type { NotifyConfig } from "./config.ts";
import type { GlobalReceiverConfig } from "./global-receiver-config.ts";
import type { TargetGuard } from "./http/target-guard.ts";
import type { Notifier } from "./notifier.ts";
import type { NotifyMetrics } from "./notify-metrics.ts";

/** What notifiers of one configuration share. */
export type NotifierContext = {
  readonly templates: NotificationTemplates;
  /** Of this server: the start of links in messages, without a slash at the end. */
  readonly externalUrl: string;
  /** Relative paths of files with secrets are seen from there; undefined: files can't be named. */
  readonly configDir: string | undefined;
  readonly config: NotifyConfig;
  readonly guard: TargetGuard;
  readonly metrics: NotifyMetrics;
  readonly logger: Logger;
};

/**
 * One kind of receiver's entry. `Config` is what {@link Integration.schema} makes of an entry of `…_configs`.
 */
export interface Integration<Config = unknown> {
  /** `webhook` for `webhook_configs`. */
  readonly kind: string;
  /** Alertmanager's defaults, and its words for what is wrong. */
  readonly schema: z.ZodType<Config>;
  /**
   * Fills in what the `global` section says. Throws `InvalidInputError`, in Alertmanager's words, when something is missing
   * in both.
   */
  withGlobals(config: Config, global: GlobalReceiverConfig): Config;
  create(config: Config, context: NotifierContext): Notifier;
}
