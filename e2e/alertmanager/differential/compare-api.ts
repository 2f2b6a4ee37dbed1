import { setTimeout as sleep } from "node:timers/promises";
import type { AlertmanagerProcess } from "../alertmanager-process.ts";
import { type ApiCase, apiCases } from "./api-cases.ts";

export type ApiDifference = { readonly request: string; readonly theirs: string; readonly ours: string };

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const NOBODY = "00000000-0000-0000-0000-000000000000";
/** Groups are sorted into soon after alerts came. */
const SETTLE_MS = 300;

/** Asks both the same, one request after the other, and gives the answers that are not equal up to ids and times of day. */
export async function compareApi(
  theirs: AlertmanagerProcess,
  ours: AlertmanagerProcess,
): Promise<{ readonly asked: number; readonly differences: readonly ApiDifference[] }> {
  const cases = apiCases(Math.floor(Date.now() / 1_000) * 1_000);
  const ids: [string[], string[]] = [[], []];
  const differences: ApiDifference[] = [];
  let wasPost = false;
  for (const one of cases) {
    if (wasPost && one.method === "GET") await sleep(SETTLE_MS);
    wasPost = one.method !== "GET";
    const [a, b] = await Promise.all([ask(theirs, one, ids[0]), ask(ours, one, ids[1])]);
    if (a === b) continue;
    const body = one.body === undefined ? "" : ` ${typeof one.body === "string" ? one.body : JSON.stringify(one.body)}`;
    differences.push({ request: `${one.method} ${one.path}${body}`, theirs: a, ours: b });
  }
  return { asked: cases.length, differences };
}

async function ask(server: AlertmanagerProcess, { method, path, body, contentType }: ApiCase, ids: string[]) {
  const known = (text: string) => text.replace(/SILENCE_(\d+)/g, (_, n) => ids[Number(n)] ?? NOBODY);
  const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  const headers: Record<string, string> =
    text === undefined ? {} : { "content-type": contentType ?? "application/json" };
  const sent = { method, headers, ...(text === undefined ? {} : { body: known(text) }) };
  const response = await fetch(`${server.url}${known(path)}`, sent).catch(() => undefined);
  // Alertmanager breaks the connection when it fails badly.
  if (!response) return "no answer";
  const answer = await response.text();
  for (const [id] of answer.matchAll(UUID)) if (id !== NOBODY && !ids.includes(id)) ids.push(id);
  return `${response.status} ${(response.headers.get("content-type") ?? "").replace("; charset=utf-8", "")} ${shown(answer, ids)}`;
}

/** What must be equal, of objects by name and of silences and alerts in their order. */
function shown(answer: string, ids: readonly string[]): string {
  const named = ids.reduce((text, id, i) => text.replaceAll(id, `SILENCE_${i}`), answer);
  try {
    return JSON.stringify(plain(JSON.parse(named)));
  } catch {
    return named.trim();
  }
}

const OWN: ReadonlySet<string> = new Set(["updatedAt", "uptime", "versionInfo", "original", "cluster"]);

/** What the servers made of their own clock: those of the requests are whole seconds. */
const OWN_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.(?!000)\d{3}Z$/;
const IN_ZONE = /^\d{4}-\d{2}-\d{2}T[\d:.]+[+-]\d{2}:\d{2}$/;

function plain(value: unknown): unknown {
  if (typeof value === "string" && OWN_TIME.test(value)) return "some time";
  // Alertmanager shows a time in the zone in which it came.
  if (typeof value === "string" && IN_ZONE.test(value)) return new Date(value).toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(
    ([key, field]) => [key, OWN.has(key) ? typeof field : plain(field)] as const,
  );
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
