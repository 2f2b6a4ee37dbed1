import { describe, expect, test } from "vitest";
import { MatcherSyntax } from "../matchers/matcher-syntax.ts";
import { readAlertmanagerConfig } from "./alertmanager-config.ts";

const integrationKeys = new Set(["webhook_configs", "slack_configs"]);
const read = (text: string) => readAlertmanagerConfig(text, { syntax: new MatcherSyntax("fallback"), integrationKeys });
const MINIMAL = "route:\n  receiver: a\nreceivers:\n- name: a\n";

describe("a configuration that Alertmanager refuses is refused in its words", () => {
  test.each([
    ["", "no route provided in config"],
    ["receivers: []", "no routes provided"],
    ["route: {}\n", "root route must specify a default receiver"],
    ["route: {receiver: b}\nreceivers: [{name: a}]", 'undefined receiver "b" used in route'],
    [`${MINIMAL}foo: 1\n`, "yaml: unmarshal errors:\n  line 5: field foo not found in type config.plain"],
    ["route: {receiver: a, match: {a: b}}\nreceivers: [{name: a}]", "root route must not have any matchers"],
    ["route: {receiver: a, continue: true}\nreceivers: [{name: a}]", "cannot have continue in root route"],
    [`${MINIMAL}- name: a\n`, 'notification config name "a" is not unique'],
    [`${MINIMAL}- labels: {a: b}\n`, "missing name in receiver"],
    ["route: {receiver: a, group_wait: 5}\nreceivers: [{name: a}]", 'not a valid duration string: "5"'],
    ["route: {receiver: a, group_interval: 0s}\nreceivers: [{name: a}]", "group_interval cannot be zero"],
    ["route: {receiver: a, repeat_interval: 0s}\nreceivers: [{name: a}]", "repeat_interval cannot be zero"],
    ["route: {receiver: a, group_by: [a, a]}\nreceivers: [{name: a}]", 'duplicated label "a" in group_by'],
    [
      "route: {receiver: a, group_by: [a, ...]}\nreceivers: [{name: a}]",
      "cannot have wildcard group_by (`...`) and other labels at the same time",
    ],
    ["route: {receiver: a, routes: [{match: {0a: b}}]}\nreceivers: [{name: a}]", 'invalid label name "0a"'],
    [
      "route: {receiver: a, routes: [{mute_time_intervals: [x]}]}\nreceivers: [{name: a}]",
      'undefined time interval "x" used in route',
    ],
    [
      `${MINIMAL}global: {slack_api_url: http://a, slack_api_url_file: b}`,
      "at most one of slack_api_url & slack_api_url_file must be configured",
    ],
    [`${MINIMAL}time_intervals: [{name: a}, {name: a}]`, 'time interval "a" is not unique'],
    [
      `${MINIMAL}time_intervals: [{name: a, time_intervals: [{times: [{start_time: "10:00", end_time: "09:00"}]}]}]`,
      "start time cannot be equal or greater than end time",
    ],
    [
      `${MINIMAL}time_intervals: [{name: a, time_intervals: [{days_of_month: ["-1:5"]}]}]`,
      "end day must be negative if start day is negative",
    ],
    [`${MINIMAL}time_intervals: [{name: a, time_intervals: [{location: Mars/Base}]}]`, "unknown time zone Mars/Base"],
    ["route: {receiver: a, routes: [{matchers: ['a=~(']}]}\nreceivers: [{name: a}]", "error parsing regexp"],
    ["a: &a [x]\nb: &b [*a, *a]\n", "field a not found"],
    ["---\n", "no route provided in config"],
    ["route: {receiver: a, routes: [null]}\nreceivers: [{name: a}]", "an entry of routes is null"],
    ["route: {receiver: a, group_wait: 5x}\nreceivers: [{name: a}]", 'unknown unit "x" in duration "5x"'],
    ["route: {receiver: a, group_by: [[a]]}\nreceivers: [{name: a}]", "line 1: cannot unmarshal !!seq into string"],
    ["route: {receiver: a}\nreceivers: [{name: [a]}]", "line 2: cannot unmarshal !!seq into string"],
    ["route: {receiver: a, receiver: b}\nreceivers: [{name: a}]", 'line 1: key "receiver" already set in map'],
    ["route: {receiver: a}\nreceivers: [null]", 'undefined receiver "a" used in route'],
    ["route: {receiver: a, routes: [{match_re: {a: null}}]}\nreceivers: [{name: a}]", 'invalid regexp value for "a"'],
    [
      "route: {receiver: a, routes: [{match_re: {a: (}}]}\nreceivers: [{name: a}]",
      "error parsing regexp: missing closing ): `^(?:()$`",
    ],
    ["route: &r {receiver: a, routes: [*r]}\nreceivers: [{name: a}]", "yaml: anchor 'r' value contains itself"],
    ["route: {receiver: *nobody}\nreceivers: [{name: a}]", "yaml: unknown anchor 'nobody' referenced"],
    [`${MINIMAL}global: {slack_api_url: ""}`, 'unsupported scheme "" for URL'],
    [`${MINIMAL}global: {smtp_smarthost: "a:b:c"}`, "address a:b:c: too many colons in address"],
    [`${MINIMAL}global: {smtp_require_tls: maybe}`, "line 5: cannot unmarshal !!str `maybe` into bool"],
    [`${MINIMAL}global: {http_config: {x: 1}}`, "line 5: field x not found in type config.plain"],
    [`${MINIMAL}tracing: {x: 1}`, "line 5: field x not found in type tracing.plain"],
  ])("%j", (text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  test("aliases that multiply are refused before they are followed", () => {
    const bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 12; i++)
      bomb.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(", ")}]`,
      );
    expect(() => read(bomb.join("\n"))).toThrow(/alias/i);
  });

  test.each([
    ["routes", `route: {receiver: a, routes: [${"{match: {a: b}},".repeat(100_000)}]}\n`],
    ["lines", "# x\n".repeat(200_000)],
    ["characters", "#".repeat(5_000_000)],
    ["levels of routes", `route: {receiver: a, routes: [${"{routes: [".repeat(500)}${"]}".repeat(500)}]}\n`],
  ])("very many %s are refused", (_, text) => {
    expect(() => read(text)).toThrow(/more than|longer than|yaml/);
  });

  test("deep nesting is refused", () => {
    expect(() => read(`route: ${"[".repeat(5_000)}${"]".repeat(5_000)}`)).toThrow(/nested deeper|yaml/i);
  });
});

test.each([
  ["a receiver that is null", "route: {receiver: a}\nreceivers: [{name: a}, null]"],
  ["more documents", `${MINIMAL}---\nfoo: bar\n`],
  ["an empty pattern", `${MINIMAL}templates: [null]\n`],
  [
    "times that are null",
    `${MINIMAL}time_intervals: [null, {name: a, time_intervals: [{times: [null], years: [null]}]}]`,
  ],
  ["an empty location", `${MINIMAL}time_intervals: [{name: a, time_intervals: [{location: ''}]}]`],
])("%s: as Alertmanager, nothing is said of it", (_, text) => {
  expect(() => read(text)).not.toThrow();
});

test("a merge key brings what is not said", () => {
  const { route } = read(
    "route: {receiver: a, routes: [{<<: {receiver: b, group_wait: 1s}, receiver: a, match: {x: y}}]}\nreceivers: [{name: a}]",
  );
  expect(route.routes[0]).toMatchObject({ receiver: "a", groupWaitMs: 1_000 });
});

test("everything is read, with defaults, old and new matchers in order", () => {
  const config = read(`
global: {resolve_timeout: 10m}
route:
  receiver: a
  group_by: [alertname]
  routes:
  - match: {b: x}
    match_re: {a: y.*}
    matchers: ['c!=z, d!~w']
    group_by: ['...']
    active_time_intervals: [work]
    continue: yes
inhibit_rules:
- source_match: {severity: critical}
  target_matchers: [severity = warning]
  equal: [alertname]
receivers:
- name: a
  labels: {team: x}
  webhook_configs: [{url: 'http://h/'}, ]
time_intervals:
- name: work
  time_intervals:
  - times: [{start_time: '09:00', end_time: '17:00'}]
    weekdays: ['monday:friday']
    location: Europe/Berlin
`);
  expect(config.global.resolveTimeoutMs).toBe(600_000);
  const [child] = config.route.routes;
  expect(child?.matchers.map(({ name, op, value }) => name + op + value)).toEqual(["a=~y.*", "b=x", "c!=z", "d!~w"]);
  expect(child).toMatchObject({ groupBy: "all", continues: true, activeTimeIntervals: ["work"] });
  expect(config.inhibitRules[0]?.equal).toEqual(["alertname"]);
  expect(Object.fromEntries(config.receivers[0]?.labels ?? [])).toEqual({ team: "x", name: "a" });
  const [entry] = config.receivers[0]?.integrations ?? [];
  expect(entry).toMatchObject({ key: "webhook_configs", index: 0, settings: { url: "http://h/" } });
  expect(entry?.place(["url"])).toEqual({ line: 20, found: "!!str `http://h/`" });
});

test("no secret is shown, and what is shown can be read again", () => {
  const { shown } = read(`
global: {smtp_auth_password: s3cret1, slack_api_url: 'https://hooks/s3cret2', smtp_auth_password_file: ''}
route: {receiver: a}
receivers:
- name: a
  webhook_configs:
  - url: https://h/s3cret3
    http_config: {authorization: {credentials: s3cret4}, proxy_url: 'http://u:s3cret5@p/', basic_auth: {username: u, password_file: /p}}
  slack_configs: [{api_url: 'https://h/s3cret6', channel: c}]
`);
  expect(shown).not.toContain("s3cret");
  expect(shown).toContain("password_file: /p");
  expect(shown).toContain("resolve_timeout: 5m");
  expect(read(shown).shown).toBe(shown);
});
