import { UnavailableError } from "@sightline/model/errors.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { AlertSink, PostedAlert } from "../alert-sink.ts";
import type { ExternalAlertmanagerConfig } from "./config.ts";

const RETRY_AFTER_MS = 60_000;

/** An Alertmanager elsewhere, by its API v2. The tenant is told in `X-Scope-OrgID`, which Mimir's wants. */
export class AlertmanagerClient implements AlertSink {
  readonly name: string;
  readonly #config: ExternalAlertmanagerConfig;

  constructor(config: ExternalAlertmanagerConfig) {
    this.name = `${config.url.replace(/\/$/, "")}/api/v2/alerts`;
    this.#config = config;
  }

  async post(tenant: TenantId, alerts: readonly PostedAlert[]): Promise<void> {
    const body = alerts.map(({ labels, annotations, startsAtMs, endsAtMs, generatorUrl }) => ({
      annotations,
      endsAt: new Date(endsAtMs).toISOString(),
      startsAt: new Date(startsAtMs).toISOString(),
      generatorURL: generatorUrl,
      labels,
    }));
    let response: Response;
    try {
      response = await fetch(this.name, {
        method: "POST",
        headers: { "content-type": "application/json", "x-scope-orgid": tenant, ...this.#config.headers },
        body: JSON.stringify(body),
        redirect: "error",
        signal: AbortSignal.timeout(this.#config.timeout_ms),
      });
      await response.body?.cancel();
    } catch (cause) {
      throw new UnavailableError(`${this.name} does not answer`, { cause, retryAfterMs: RETRY_AFTER_MS });
    }
    if (!response.ok) {
      const message = `${this.name} answered ${response.status} to ${alerts.length} alerts`;
      throw new UnavailableError(message, { retryAfterMs: RETRY_AFTER_MS });
    }
  }
}
