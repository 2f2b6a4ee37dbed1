import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** One alert in one notification, as it came. */
export type Page = {
  readonly alertname: string;
  readonly status: string;
  readonly reason: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly atMs: number;
};

/** Takes notifications of webhooks, and remembers what they said. */
export class WebhookReceiver {
  readonly pages: Page[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of request) chunks.push(chunk as Buffer);
      } catch {
        // The sender was killed while it sent.
        return;
      }
      const { alerts, notification_reason: reason } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      const atMs = Date.now();
      for (const { status, labels, annotations } of alerts) {
        this.pages.push({ alertname: labels.alertname, status, reason, annotations, atMs });
      }
      response.end("ok");
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, "127.0.0.1", resolve);
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
