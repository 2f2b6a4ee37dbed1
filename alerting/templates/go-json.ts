import { formatGoTime, UTC, ZERO_TIME } from "@sightline/model/go-template/go-time.ts";
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
import type { NotificationData } from "./notification-data.ts";

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
  return Object.fromEntries(sortedNames(map as Record<string, string>).map((name) => [name, map[name] as T]));
}

/** A time as encoding/json writes it; undefined is the zero time. */
export function jsonTime(atMs: number | undefined): string {
  const time = atMs === undefined ? ZERO_TIME : { ns: BigInt(Math.round(atMs)) * 1_000_000n, zone: UTC };
  return formatGoTime(time, JSON_LAYOUT);
}
const JSON_LAYOUT = "2006-01-02T15:04:05.999999999Z07:00";

/** The part of webhooks' bodies that all of them have, in the order of Alertmanager. */
export function jsonData(data: NotificationData) {
  return {
    receiver: data.receiver,
    status: data.status,
    alerts: data.alerts.map((alert) => ({
      status: alert.status,
      labels: sortedObject(alert.labels),
      annotations: sortedObject(alert.annotations),
      startsAt: jsonTime(alert.startsAtMs),
      endsAt: jsonTime(alert.endsAtMs),
      generatorURL: alert.generatorUrl,
      fingerprint: alert.fingerprint,
    })),
    notification_reason: data.notificationReason,
    groupLabels: sortedObject(data.groupLabels),
    commonLabels: sortedObject(data.commonLabels),
    commonAnnotations: sortedObject(data.commonAnnotations),
    routeLabels: sortedObject(data.routeLabels),
    externalURL: data.externalUrl,
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
