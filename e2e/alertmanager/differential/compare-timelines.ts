import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { AlertmanagerProcess } from "../alertmanager-process.ts";
import { TIMELINE_SECONDS, timeline } from "./timeline-cases.ts";

export type TimelineDifference = {
  readonly hook: string;
  readonly theirs: readonly string[];
  readonly ours: readonly string[];
};

/** Takes webhooks, and keeps what they said by the last part of the address. */
export class HookReceiver {
  readonly said = new Map<string, { readonly atSeconds: number; readonly text: string }[]>();
  startMs = 0;
  readonly #server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const name = (request.url ?? "").slice(1);
    const list = this.said.get(name) ?? [];
    list.push({ atSeconds: (Date.now() - this.startMs) / 1_000, text: shown(Buffer.concat(chunks).toString("utf8")) });
    this.said.set(name, list);
    response.end();
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, "127.0.0.1", resolve);
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

export type Side = {
  readonly server: AlertmanagerProcess;
  readonly configFile: string;
  readonly receiver: HookReceiver;
  readonly hook: string;
};

/** Does the same to both at the same times. Gives hooks that were not told the same, in order. */
export async function compareTimelines(theirs: Side, ours: Side): Promise<readonly TimelineDifference[]> {
  const startMs = Math.ceil(Date.now() / 1_000) * 1_000;
  for (const { receiver } of [theirs, ours]) receiver.startMs = startMs;
  for (const step of timeline(startMs)) {
    await sleep(Math.max(0, startMs + step.atSeconds * 1_000 - Date.now()));
    await Promise.all(
      [theirs, ours].map(async ({ server, configFile, hook }) => {
        if ("post" in step) await server.post("/api/v2/alerts", step.post);
        else if ("silence" in step) {
          await server.post("/api/v2/silences", { createdBy: "me", comment: "why", ...step.silence });
        } else {
          writeFileSync(configFile, step.reload.replaceAll("HOOK", hook));
          await server.post("/-/reload", {});
        }
      }),
    );
  }
  await sleep(Math.max(0, startMs + TIMELINE_SECONDS * 1_000 - Date.now()));
  const names = new Set([...theirs.receiver.said.keys(), ...ours.receiver.said.keys()]);
  return [...names].sort().flatMap((hook) => {
    const [a, b] = [theirs, ours].map(({ receiver }) => receiver.said.get(hook) ?? []);
    // Groups of one hook have timers of their own.
    const texts = (list: typeof a) => (list ?? []).map(({ text }) => text).sort();
    if (JSON.stringify(texts(a)) === JSON.stringify(texts(b))) return [];
    const lines = (list: typeof a) => (list ?? []).map(({ atSeconds, text }) => `${atSeconds.toFixed(1)} s ${text}`);
    return [{ hook, theirs: lines(a), ours: lines(b) }];
  });
}

/** Without what is each server's own. */
function shown(body: string): string {
  const message = JSON.parse(body) as Record<string, unknown>;
  if ("externalURL" in message) message.externalURL = "";
  return JSON.stringify(message);
}
