import type { Integration } from "./integration.ts";
import { webhook } from "./webhook/webhook.ts";

const ALL: readonly Integration[] = [webhook];

/** Integrations by their key in a receiver: `webhook_configs`. */
export const INTEGRATIONS: ReadonlyMap<string, Integration> = new Map(
  ALL.map((integration) => [`${integration.kind}_configs`, integration]),
);
