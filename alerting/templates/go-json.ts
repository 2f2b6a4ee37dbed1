import { setImmediate as nextTurn } from "node:timers/promises";
import { formatGoTime } from "@sightline/model/go-template/go-time.ts";
import {
  GoMap,
  GoStruct,
  GoTimeValue,
  type GoValue,
  Int64,
  isList,
  NamedInt,
  NamedText,
} from "@sightline/model/go-template/go-value.ts";
import { sortedNames } from "../alertmanager/labels.ts";
import type { AlertData, NotificationData } from "./notification-data.ts";

/** What Go's encoding/json writes differently from JavaScript: it can stand in HTML. */
const ESCAPED: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** JSON as Go's encoding/json writes it: for values that are the same, the same bytes. Undefined fields are left out. */
export function goJson(value: unknown): string {
  return (JSON.stringify(value) ?? "null").replace(/[<>&\u2028\u2029]/g, (char) => ESCAPED[char] as string);
}

/** A map of Go: its keys are written in order. */
export function sortedObject<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  const sorted: Record<string, T> = {};
  for (const name of namesInOrder(map)) {
    if (name === "__proto__") Object.defineProperty(sorted, name, { value: map[name], enumerable: true });
    else sorted[name] = map[name] as T;
  }
  return sorted;
}

/** By bytes of UTF-8: for most names that is the order of code units, which is a tenth of the work. */
function namesInOrder(map: Readonly<Record<string, unknown>>): string[] {
  const names = Object.keys(map);
  return names.some((name) => /[\ud800-\uffff]/.test(name)) ? sortedNames(map as Record<string, string>) : names.sort();
}

/** A time as encoding/json writes it; undefined is the zero time. */
export function jsonTime(atMs: number | undefined): string {
  if (atMs === undefined) return "0001-01-01T00:00:00Z";
  return new Date(Math.round(atMs)).toISOString().replace(/\.?0*Z$/, "Z");
}
const JSON_LAYOUT = "2006-01-02T15:04:05.999999999Z07:00";

/** Alerts of one turn of the event loop. */
const ALERTS_PER_TURN = 500;

/**
 * The body of a webhook, in the order of Alertmanager: the data, of which the first `maxAlerts` alerts, and after it `more`.
 * A large group is written over many turns of the event loop.
 */
export async function webhookJson(data: NotificationData, more: object, maxAlerts = Infinity): Promise<string> {
  const alerts: string[] = [];
  for (let i = 0; i < Math.min(data.alerts.length, maxAlerts); i += ALERTS_PER_TURN) {
    if (i > 0) await nextTurn();
    const some = data.alerts.slice(i, Math.min(i + ALERTS_PER_TURN, maxAlerts));
    alerts.push(goJson(some.map(jsonAlert)).slice(1, -1));
  }
  const head = goJson({ receiver: data.receiver, status: data.status });
  const rest = goJson({
    notification_reason: data.notificationReason,
    groupLabels: sortedObject(data.groupLabels),
    commonLabels: sortedObject(data.commonLabels),
    commonAnnotations: sortedObject(data.commonAnnotations),
    routeLabels: sortedObject(data.routeLabels),
    externalURL: data.externalUrl,
    ...more,
  });
  return `${head.slice(0, -1)},"alerts":[${alerts.join(",")}],${rest.slice(1)}`;
}

function jsonAlert(alert: AlertData) {
  return {
    status: alert.status,
    labels: sortedObject(alert.labels),
    annotations: sortedObject(alert.annotations),
    startsAt: jsonTime(alert.startsAtMs),
    endsAt: jsonTime(alert.endsAtMs),
    generatorURL: alert.generatorUrl,
    fingerprint: alert.fingerprint,
  };
}

/** Names that fields have in JSON where it is not their own. */
const JSON_NAMES: Readonly<Record<string, string>> = {
  Receiver: "receiver",
  Status: "status",
  Alerts: "alerts",
  NotificationReason: "notification_reason",
  GroupLabels: "groupLabels",
  CommonLabels: "commonLabels",
  CommonAnnotations: "commonAnnotations",
  RouteLabels: "routeLabels",
  ExternalURL: "externalURL",
  Labels: "labels",
  Annotations: "annotations",
  StartsAt: "startsAt",
  EndsAt: "endsAt",
  GeneratorURL: "generatorURL",
  Fingerprint: "fingerprint",
};

/** Characters that may still be made; when they are used up, `work` is told, and throws. */
type Budget = { left: number; readonly work: { reserve(characters: number): void } };

/** A value of a template as JSON.stringify is to see it. */
export function jsonValue(value: GoValue, budget?: Budget): unknown {
  if (budget) {
    budget.left -= typeof value === "string" ? value.length + 3 : 4;
    if (budget.left < 0) budget.work.reserve(Number.POSITIVE_INFINITY);
  }
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return finite(value);
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Int64 || value instanceof NamedInt) return Number(value.value);
  if (value instanceof NamedText) return value.text;
  if (value instanceof GoTimeValue) return formatGoTime(value.time, JSON_LAYOUT);
  if (value instanceof GoMap)
    return sortedObject(Object.fromEntries([...value.entries].map(([key, entry]) => [key, jsonValue(entry, budget)])));
  if (value instanceof GoStruct)
    return Object.fromEntries(
      [...value.fields].map(([name, field]) => [
        value.type.name === "template.Pair" ? name : (JSON_NAMES[name] ?? name),
        jsonValue(field, budget),
      ]),
    );
  return isList(value) ? Array.from(value, (item) => jsonValue(item, budget)) : null;
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new Error(`json: unsupported value: ${Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf"}`);
}
