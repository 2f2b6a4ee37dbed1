import type { LabelMap } from "../../alert.ts";
import type { RouteConfig } from "../config/route-config.ts";
import { labelMap } from "../labels.ts";
import { formatMatchers, type LabelMatcher, matchesAll } from "../matchers/label-matcher.ts";

/** A node of the routing tree, with what it has inherited (dispatch/route.go). */
export type Route = {
  readonly receiver: string;
  readonly groupBy: ReadonlySet<string> | "all";
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  /** These two are not inherited. */
  readonly muteTimeIntervals: readonly string[];
  readonly activeTimeIntervals: readonly string[];
  /** Templates. */
  readonly labels: ReadonlyMap<string, string>;
  readonly matchers: readonly LabelMatcher[];
  readonly continues: boolean;
  /** `{}/{severity="page"}`: the way from the root. Two routes may have the same. */
  readonly key: string;
  /** As `key`, with the place among its siblings: no two routes have the same. */
  readonly id: string;
  readonly children: readonly Route[];
};

type Inherited = Pick<
  Route,
  "receiver" | "groupBy" | "groupWaitMs" | "groupIntervalMs" | "repeatIntervalMs" | "labels"
>;

const DEFAULTS: Inherited = {
  receiver: "",
  groupBy: new Set(),
  groupWaitMs: 30_000,
  groupIntervalMs: 300_000,
  repeatIntervalMs: 4 * 3_600_000,
  labels: new Map(),
};

/** The tree with all that is inherited filled in. */
export function routeTree(config: RouteConfig): Route {
  return routeBelow(config, DEFAULTS, undefined, 0);
}

function routeBelow(config: RouteConfig, above: Inherited, parent: { key: string; id: string } | undefined, i: number) {
  const own: Inherited = {
    receiver: config.receiver || above.receiver,
    groupBy: config.groupBy === undefined ? above.groupBy : config.groupBy === "all" ? "all" : new Set(config.groupBy),
    groupWaitMs: config.groupWaitMs ?? above.groupWaitMs,
    groupIntervalMs: config.groupIntervalMs ?? above.groupIntervalMs,
    repeatIntervalMs: config.repeatIntervalMs ?? above.repeatIntervalMs,
    labels: new Map([...above.labels, ...config.labels]),
  };
  const matchers = formatMatchers(config.matchers);
  const names = {
    key: parent ? `${parent.key}/${matchers}` : matchers,
    id: parent ? `${parent.id}/${matchers}/${i}` : matchers,
  };
  const route: Route = {
    ...own,
    ...names,
    matchers: config.matchers,
    continues: config.continues,
    muteTimeIntervals: config.muteTimeIntervals,
    activeTimeIntervals: config.activeTimeIntervals,
    children: config.routes.map((child, at) => routeBelow(child, own, names, at)),
  };
  return route;
}

/** The routes that an alert takes: depth first, the first child that matches and those after it that `continue` leads to. */
export function matchRoutes(route: Route, labels: LabelMap): readonly Route[] {
  if (!matchesAll(route.matchers, labels)) return [];
  const found: Route[] = [];
  for (const child of route.children) {
    const matches = matchRoutes(child, labels);
    found.push(...matches);
    if (matches.length > 0 && !child.continues) break;
  }
  return found.length > 0 ? found : [route];
}

/** The labels by which the route groups, of those that the alert has. */
export function groupLabelsOf(route: Route, labels: LabelMap): LabelMap {
  const { groupBy } = route;
  if (groupBy === "all") return labels;
  return labelMap([...groupBy].map((name) => [name, labels[name] ?? ""] as const));
}
