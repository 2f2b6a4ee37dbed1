import { InvalidInputError } from "@sightline/model/errors.ts";
import type { MatcherSyntax } from "../matchers/matcher-syntax.ts";
import type { TimeInterval } from "../timing/time-interval.ts";
import { type GlobalConfig, readGlobal } from "./global-config.ts";
import { type InhibitRuleConfig, readInhibitRule } from "./inhibit-rule-config.ts";
import { type ReceiverConfig, readReceiver } from "./receiver-config.ts";
import { type RouteConfig, readRoute } from "./route-config.ts";
import { showConfig } from "./show-config.ts";
import { readNamedIntervals } from "./time-interval-config.ts";
import { quoted, YamlReader } from "./yaml-reader.ts";

/** A configuration file of Alertmanager, read and found to be consistent. */
export type AlertmanagerConfig = {
  readonly global: GlobalConfig;
  readonly route: RouteConfig;
  readonly inhibitRules: readonly InhibitRuleConfig[];
  readonly receivers: readonly ReceiverConfig[];
  /** Glob patterns, as they are written. */
  readonly templates: readonly string[];
  readonly timeIntervals: ReadonlyMap<string, readonly TimeInterval[]>;
  /** YAML with the defaults of `global` and without secrets. */
  readonly shown: string;
};

const FIELDS = new Set([
  "global",
  "route",
  "inhibit_rules",
  "receivers",
  "templates",
  "mute_time_intervals",
  "time_intervals",
  "tracing",
  "event_recorder",
]);

const TRACING_FIELDS = new Set(
  "client_type endpoint sampling_fraction insecure tls_config headers compression timeout".split(" "),
);
const EVENT_RECORDER_FIELDS = new Set(["file_outputs", "webhook_outputs", "kafka_outputs", "stdout_outputs"]);

export type ReadConfigOptions = {
  readonly syntax: MatcherSyntax;
  /** Keys of receivers that name integrations: `webhook_configs`. */
  readonly integrationKeys: ReadonlySet<string>;
};

/**
 * Throws `InvalidInputError` that says what is wrong as Alertmanager would. What is in the integrations of receivers is not
 * looked at here.
 */
export function readAlertmanagerConfig(text: string, options: ReadConfigOptions): AlertmanagerConfig {
  const reader = new YamlReader(text);
  if (reader.root === undefined) throw new InvalidInputError("no route provided in config");
  try {
    return readConfig(reader, options);
  } catch (error) {
    // What could not be read is the reason of what is missing then.
    if (error instanceof InvalidInputError) reader.assertRead();
    throw error;
  }
}

function readConfig(reader: YamlReader, options: ReadConfigOptions): AlertmanagerConfig {
  const { syntax, integrationKeys } = options;
  const fields = reader.fields(reader.root, "config.plain", FIELDS);
  const global = readGlobal(reader, fields.get("global"));
  const routeValue = fields.get("route");
  const route = routeValue && readRoute(reader, syntax, routeValue);
  const inhibitRules = reader
    .list(fields.get("inhibit_rules"), "common.InhibitRule")
    .map((rule) => readInhibitRule(reader, syntax, rule));
  const receivers = reader
    .list(fields.get("receivers"), "config.Receiver")
    .map((receiver) => readReceiver(reader, integrationKeys, receiver));
  const intervals = (key: string, what: string) =>
    reader.list(fields.get(key), "config.TimeInterval").map((value) => ({
      ...readNamedIntervals(reader, value, what),
      what,
    }));
  const timeIntervals = uniqueIntervals([
    ...intervals("mute_time_intervals", "mute time interval"),
    ...intervals("time_intervals", "time interval"),
  ]);
  const templates = (reader.texts(fields.get("templates")) ?? []).filter((pattern) => pattern !== "");
  reader.fields(fields.get("tracing"), "tracing.plain", TRACING_FIELDS);
  reader.fields(fields.get("event_recorder"), "eventrecorder.Config", EVENT_RECORDER_FIELDS);
  reader.assertRead();

  const names = new Set<string>();
  for (const { name } of receivers) {
    if (names.has(name)) throw new InvalidInputError(`notification config name ${quoted(name)} is not unique`);
    names.add(name);
  }
  if (!route) throw new InvalidInputError("no routes provided");
  assertRootRoute(route);
  assertReferences(route, names, timeIntervals);
  const shown = showConfig(reader.plain(reader.root), global);
  return { global, route, inhibitRules, receivers, templates, timeIntervals, shown };
}

type NamedIntervals = { readonly name: string; readonly intervals: readonly TimeInterval[]; readonly what: string };

function uniqueIntervals(named: readonly NamedIntervals[]): Map<string, readonly TimeInterval[]> {
  const byName = new Map<string, readonly TimeInterval[]>();
  for (const { name, intervals, what } of named) {
    if (byName.has(name)) throw new InvalidInputError(`${what} ${quoted(name)} is not unique`);
    byName.set(name, intervals);
  }
  return byName;
}

/** It is where all alerts end that match nothing else. */
function assertRootRoute(route: RouteConfig): void {
  if (route.receiver === "") throw new InvalidInputError("root route must specify a default receiver");
  if (route.matchers.length > 0) throw new InvalidInputError("root route must not have any matchers");
  if (route.muteTimeIntervals.length > 0) {
    throw new InvalidInputError("root route must not have any mute time intervals");
  }
  if (route.activeTimeIntervals.length > 0) {
    throw new InvalidInputError("root route must not have any active time intervals");
  }
  if (route.continues) throw new InvalidInputError("cannot have continue in root route");
}

function assertReferences(
  route: RouteConfig,
  receivers: ReadonlySet<string>,
  intervals: ReadonlyMap<string, unknown>,
): void {
  for (const child of route.routes) assertReferences(child, receivers, intervals);
  if (route.receiver !== "" && !receivers.has(route.receiver)) {
    throw new InvalidInputError(`undefined receiver ${quoted(route.receiver)} used in route`);
  }
  for (const name of [...route.activeTimeIntervals, ...route.muteTimeIntervals]) {
    if (!intervals.has(name)) throw new InvalidInputError(`undefined time interval ${quoted(name)} used in route`);
  }
}
