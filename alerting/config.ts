import { z } from "zod";
import { alertmanagerSettings } from "./alertmanager/settings.ts";
import { notifyConfig } from "./notify/config.ts";
import { rulesConfig } from "./rules/config.ts";

/** `alerting`: each part has its own section. */
export const alertingConfig = z.strictObject({
  rules: rulesConfig.prefault({}),
  alertmanager: alertmanagerSettings.prefault({}),
  notify: notifyConfig,
});
export type AlertingConfig = z.output<typeof alertingConfig>;
