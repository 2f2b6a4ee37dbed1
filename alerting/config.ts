import { z } from "zod";
import { rulesConfig } from "./rules/config.ts";

/** `alerting`: each part has its own section. */
export const alertingConfig = z.strictObject({
  rules: rulesConfig.prefault({}),
});
export type AlertingConfig = z.output<typeof alertingConfig>;
