import type { z } from "zod";
import { goJson } from "../templates/go-json.ts";
import type { Attempt } from "./attempt.ts";
import { type GlobalReceiverConfig, httpConfigOf } from "./global-receiver-config.ts";
import type { OutgoingRequest } from "./http/exchange.ts";
import { DEFAULT_HTTP_CONFIG, type HttpConfig } from "./http/http-config.ts";
import type { HttpSender } from "./http/http-sender.ts";
import { httpNotifier } from "./http-notifier.ts";
import type { Integration, NotifierContext } from "./integration.ts";
import type { NotifyResult } from "./notifier.ts";

type HttpEntry = { readonly send_resolved: boolean; readonly http_config?: HttpConfig | undefined };

export type HttpIntegrationOptions<Config> = {
  readonly kind: string;
  readonly schema: z.ZodType<Config>;
  /** What the `global` section adds beside `http_config`. Throws `InvalidInputError` for what is missing. */
  readonly withGlobals?: (config: Config, global: GlobalReceiverConfig) => Config;
  /**
   * Makes what sends one message; called once per entry, so that it may keep something (a token) between attempts.
   */
  readonly sending: (config: Config, context: NotifierContext) => Send;
};
/** Sends one message. May throw what templates, files and the sender throw. */
export type Send = (attempt: Attempt, sender: HttpSender) => Promise<NotifyResult>;

/** An integration that speaks HTTP as the entry's `http_config`, or the global one, says. */
export function httpIntegration<Config extends HttpEntry>(
  options: HttpIntegrationOptions<Config>,
): Integration<Config> {
  const { kind, schema, withGlobals = (config: Config) => config } = options;
  return {
    kind,
    schema,
    withGlobals: (config, global) =>
      withGlobals({ ...config, http_config: httpConfigOf(config.http_config, global) }, global),
    create: (config, context) =>
      httpNotifier(kind, config, config.http_config ?? DEFAULT_HTTP_CONFIG, context, options.sending(config, context)),
  };
}

/** A request with a body of JSON as Go's encoder writes it. Fields that are undefined are left out. */
export function jsonRequest(url: string, value: unknown, method: "POST" | "PUT" = "POST"): OutgoingRequest {
  return { method, url, headers: { "content-type": "application/json" }, body: `${goJson(value)}\n` };
}
