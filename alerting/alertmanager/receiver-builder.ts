import type { LabelMap } from "../alert.ts";
import type { AlertmanagerConfig } from "./config/alertmanager-config.ts";
import type { ConfigFiles } from "./config/config-files.ts";
import type { GroupFlush } from "./dispatch/alert-group.ts";
import type { Integration } from "./pipeline/integration.ts";

/** Receivers of one configuration, ready to be told. */
export type BuiltReceivers = {
  readonly integrations: ReadonlyMap<string, readonly Integration[]>;
  /** Labels of the group's route, their templates expanded. */
  readonly routeLabels: (flush: Pick<GroupFlush, "group" | "alerts" | "nowMs">) => LabelMap;
};

/** Makes integrations of what a configuration says of receivers. */
export interface ReceiverBuilder {
  /** Keys of receivers that name integrations: `webhook_configs`. */
  readonly keys: ReadonlySet<string>;
  /** Kinds of integrations: `webhook`. */
  readonly kinds: readonly string[];
  /** Throws `InvalidInputError` in Alertmanager's words. */
  build(config: AlertmanagerConfig, files: ConfigFiles): Promise<BuiltReceivers>;
}
