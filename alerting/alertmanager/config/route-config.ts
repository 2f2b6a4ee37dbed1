import { InvalidInputError } from "@sightline/model/errors.ts";
import { compareMatchers, type LabelMatcher } from "../matchers/label-matcher.ts";
import type { MatcherSyntax } from "../matchers/matcher-syntax.ts";
import { readMatchers } from "./matchers-config.ts";
import { quoted, type YamlReader, type YamlValue } from "./yaml-reader.ts";

/** A node of the routing tree as it is written: what is undefined is inherited. */
export type RouteConfig = {
  readonly receiver: string;
  /** undefined: inherited; `all`: `['...']`. */
  readonly groupBy: readonly string[] | "all" | undefined;
  /** Sorted. */
  readonly matchers: readonly LabelMatcher[];
  readonly muteTimeIntervals: readonly string[];
  readonly activeTimeIntervals: readonly string[];
  readonly continues: boolean;
  readonly groupWaitMs: number | undefined;
  readonly groupIntervalMs: number | undefined;
  readonly repeatIntervalMs: number | undefined;
  /** Templates, expanded for each group. */
  readonly labels: ReadonlyMap<string, string>;
  readonly routes: readonly RouteConfig[];
};

const FIELDS = new Set([
  "receiver",
  "group_by",
  "match",
  "match_re",
  "matchers",
  "mute_time_intervals",
  "active_time_intervals",
  "continue",
  "routes",
  "group_wait",
  "group_interval",
  "repeat_interval",
  "labels",
]);

/** Throws `InvalidInputError` in Alertmanager's words. */
export function readRoute(reader: YamlReader, syntax: MatcherSyntax, value: YamlValue): RouteConfig {
  const fields = reader.fields(value, "config.plain", FIELDS);
  const routes = reader.list(fields.get("routes"), "*config.Route").map((route) => {
    // Alertmanager dies of it; taken for an empty one it would swallow all that comes.
    if (route === undefined) throw new InvalidInputError("an entry of routes is null");
    return readRoute(reader, syntax, route);
  });
  const matchers = readMatchers(reader, syntax, {
    equal: fields.get("match"),
    regex: fields.get("match_re"),
    matchers: fields.get("matchers"),
  });
  const labels = reader.textMap(fields.get("labels"), "model.LabelSet");
  for (const name of labels.keys()) {
    if (!syntax.isLabelName(name)) throw new InvalidInputError(`${quoted(name)} is not a valid label name`);
  }
  return {
    receiver: reader.text(fields.get("receiver")) ?? "",
    groupBy: readGroupBy(syntax, reader.texts(fields.get("group_by"))),
    matchers: matchers.sort(compareMatchers),
    muteTimeIntervals: reader.texts(fields.get("mute_time_intervals")) ?? [],
    activeTimeIntervals: reader.texts(fields.get("active_time_intervals")) ?? [],
    continues: reader.boolean(fields.get("continue")) ?? false,
    groupWaitMs: reader.durationMs(fields.get("group_wait")),
    groupIntervalMs: positive("group_interval", reader.durationMs(fields.get("group_interval"))),
    repeatIntervalMs: positive("repeat_interval", reader.durationMs(fields.get("repeat_interval"))),
    labels,
    routes,
  };
}

function readGroupBy(syntax: MatcherSyntax, texts: readonly string[] | undefined): RouteConfig["groupBy"] {
  if (texts === undefined) return undefined;
  const names = texts.filter((text) => text !== "...");
  const seen = new Set<string>();
  for (const name of names) {
    if (!syntax.isLabelName(name)) {
      throw new InvalidInputError(`invalid label name ${quoted(name)} in group_by list`);
    }
    if (seen.has(name)) throw new InvalidInputError(`duplicated label ${quoted(name)} in group_by`);
    seen.add(name);
  }
  if (names.length === texts.length) return names;
  if (names.length > 0) {
    throw new InvalidInputError("cannot have wildcard group_by (`...`) and other labels at the same time");
  }
  return "all";
}

function positive(field: string, ms: number | undefined): number | undefined {
  if (ms === 0) throw new InvalidInputError(`${field} cannot be zero`);
  return ms;
}
