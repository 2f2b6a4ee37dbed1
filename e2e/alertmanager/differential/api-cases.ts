/** One request; `SILENCE_n` in it stands for the id that the n-th silence was given. */
export type ApiCase = {
  readonly method: "GET" | "POST" | "DELETE" | "PUT";
  readonly path: string;
  /** A text is sent as it is. */
  readonly body?: unknown;
  readonly contentType?: string;
};

const get = (path: string): ApiCase => ({ method: "GET", path: `/api/v2${path}` });
const post = (path: string, body: unknown): ApiCase => ({ method: "POST", path: `/api/v2${path}`, body });
const remove = (id: string): ApiCase => ({ method: "DELETE", path: `/api/v2/silence/${id}` });

export const API_CONFIG = `
route:
  receiver: a
  group_by: [alertname]
  routes:
  - {receiver: b, matchers: [team="b"], continue: true, labels: {via: 'b {{ .Receiver }}'}}
  - {receiver: c, matchers: [team=~"b|c"], group_by: ['...']}
  - {receiver: muted, matchers: [team="muted"], mute_time_intervals: [always]}
  - {receiver: a, matchers: [alertname="ä ö"]}
receivers:
- {name: a, labels: {tier: one}}
- {name: b, labels: {tier: two, name: b}}
- {name: c}
- {name: muted}
time_intervals: [{name: always, time_intervals: [{years: ['2000:2100']}]}]
inhibit_rules:
- {source_matchers: [severity="critical"], target_matchers: [severity="warning"], equal: [instance]}
`;

/** Relative to the start, in seconds, so that both are told the same. */
export function apiCases(startMs: number): readonly ApiCase[] {
  const at = (seconds: number) => new Date(startMs + seconds * 1_000).toISOString();
  const alert = (labels: unknown, more: object = {}) => [{ labels, ...more }];
  const silence = (more: object = {}) => ({
    matchers: [{ name: "alertname", value: "silenced", isRegex: false, isEqual: true }],
    startsAt: at(-60),
    endsAt: at(3_600),
    createdBy: "me",
    comment: "why",
    ...more,
  });
  const lasting = { startsAt: at(-600), endsAt: at(3_600) };
  return [
    // Before there is anything.
    ...["/alerts", "/alerts/groups", "/silences", "/receivers"].map(get),
    // Alerts that are taken.
    post("/alerts", []),
    post("/alerts", alert({ alertname: "plain", instance: "i1" }, { ...lasting, generatorURL: "http://g/?a=b&c=<d>" })),
    post("/alerts", alert({ alertname: "of b", team: "b", severity: "page" }, { ...lasting, annotations: { s: "ü" } })),
    post("/alerts", alert({ alertname: "of c", team: "c", empty: "" }, { ...lasting, annotations: { empty: "" } })),
    post("/alerts", alert({ alertname: "muted", team: "muted" }, lasting)),
    post("/alerts", alert({ alertname: "ä ö", "dotted.name": "x", "0": "zero" }, lasting)),
    post("/alerts", alert({ alertname: "silenced", instance: "i2" }, lasting)),
    post("/alerts", alert({ alertname: "source", severity: "critical", instance: "i3" }, lasting)),
    post("/alerts", alert({ alertname: "target", severity: "warning", instance: "i3" }, lasting)),
    post("/alerts", alert({ alertname: "target", severity: "warning", instance: "i4" }, lasting)),
    post("/alerts", alert({ alertname: "no instance", severity: "warning" }, lasting)),
    post("/alerts", alert({ alertname: "over" }, { startsAt: at(-600), endsAt: at(-300) })),
    post("/alerts", alert({ alertname: "zone" }, { startsAt: "2026-01-02T03:04:05+02:00", endsAt: at(3_600) })),
    post("/alerts", alert({ alertname: "nanos" }, { startsAt: "2026-01-02T03:04:05.123456789Z", endsAt: at(3_600) })),
    post("/alerts", alert({ alertname: "extra" }, { ...lasting, unknown: 1, fingerprint: "x" })),
    post("/alerts", [...alert({ alertname: "twice" }, lasting), ...alert({ alertname: "twice" }, lasting)]),
    // Alerts that are not, or only some.
    post("/alerts", {}),
    post("/alerts", null),
    post("/alerts", "null"),
    post("/alerts", ""),
    post("/alerts", "{"),
    post("/alerts", "[{]"),
    post("/alerts", "5"),
    post("/alerts", [null]),
    post("/alerts", [5]),
    post("/alerts", [{}]),
    post("/alerts", [[]]),
    post("/alerts", alert(null)),
    post("/alerts", alert({})),
    post("/alerts", alert([])),
    post("/alerts", alert("x")),
    post("/alerts", alert({ a: "" })),
    post("/alerts", alert({ a: 5 })),
    post("/alerts", alert({ a: null })),
    post("/alerts", alert({ "": "x" })),
    post("/alerts", alert({ a: "b" }, { annotations: { "": "x" } })),
    post("/alerts", alert({ a: "b" }, { annotations: 5 })),
    post("/alerts", alert({ a: "b" }, { annotations: { x: 5 } })),
    post("/alerts", alert({ a: "b" }, { startsAt: "yesterday" })),
    post("/alerts", alert({ a: "b" }, { startsAt: 5 })),
    post("/alerts", alert({ a: "b" }, { endsAt: {} })),
    post("/alerts", alert({ a: "b" }, { startsAt: at(600), endsAt: at(300) })),
    post("/alerts", alert({ a: "b" }, { generatorURL: 5 })),
    post("/alerts", alert({ a: "b" }, { generatorURL: "not a url" })),
    post("/alerts", alert({ a: "b" }, { generatorURL: ":x" })),
    post("/alerts", alert({ a: "b" }, { generatorURL: "http://[::1" })),
    post("/alerts", [{ labels: { alertname: "valid one" }, ...lasting }, { labels: {} }]),
    post("/alerts", [{ labels: {} }, { labels: { "": "x" } }]),
    { ...post("/alerts", "[]"), contentType: "text/plain" },
    { ...post("/alerts", "[]"), contentType: "application/json; charset=utf-8" },
    { ...post("/alerts", "[]"), contentType: "application/x-www-form-urlencoded" },
    { method: "PUT", path: "/api/v2/alerts", body: [] },
    { method: "DELETE", path: "/api/v2/alerts" },
    { method: "GET", path: "/api/v2/nothing" },
    { method: "GET", path: "/api/v1/alerts" },
    { method: "GET", path: "/api/v2/" },
    { method: "POST", path: "/api/v2/status", body: {} },
    // Silences.
    post("/silences", silence()),
    post("/silences", silence({ matchers: [{ name: "a", value: "x.*", isRegex: true }] })),
    post("/silences", silence({ matchers: [{ name: "a", value: "", isRegex: false, isEqual: false }] })),
    post("/silences", silence({ startsAt: at(1_800), comment: "later" })),
    post("/silences", silence({ matchers: [{ name: "ä b", value: "ü", isRegex: false }] })),
    post("/silences", silence({ comment: "" })),
    post("/silences", silence({ createdBy: "" })),
    post("/silences", silence({ comment: undefined })),
    post("/silences", silence({ createdBy: undefined })),
    post("/silences", silence({ comment: null })),
    post("/silences", silence({ matchers: undefined })),
    post("/silences", silence({ matchers: null })),
    post("/silences", silence({ matchers: [] })),
    post("/silences", silence({ matchers: {} })),
    post("/silences", silence({ matchers: [null] })),
    post("/silences", silence({ matchers: [{}] })),
    post("/silences", silence({ matchers: [{ name: "a", isRegex: false }] })),
    post("/silences", silence({ matchers: [{ name: "a", value: "b" }] })),
    post("/silences", silence({ matchers: [{ value: "b", isRegex: false }] })),
    post("/silences", silence({ matchers: [{ name: "", value: "b", isRegex: false }] })),
    post("/silences", silence({ matchers: [{ name: "a", value: "", isRegex: false }] })),
    post("/silences", silence({ matchers: [{ name: "a", value: ".*", isRegex: true }] })),
    post("/silences", silence({ matchers: [{ name: "a", value: "", isRegex: true }] })),
    post("/silences", silence({ matchers: [{ name: "a", value: "(", isRegex: true }] })),
    post("/silences", silence({ matchers: [{ name: "a", value: 5, isRegex: false }] })),
    post("/silences", silence({ matchers: [{ name: "a", value: "b", isRegex: "x" }] })),
    post("/silences", silence({ startsAt: undefined })),
    post("/silences", silence({ endsAt: undefined })),
    post("/silences", silence({ startsAt: "x" })),
    post("/silences", silence({ startsAt: null })),
    post("/silences", silence({ startsAt: at(100), endsAt: at(50) })),
    post("/silences", silence({ startsAt: at(100), endsAt: at(100) })),
    post("/silences", silence({ startsAt: at(-100), endsAt: at(-50) })),
    post("/silences", silence({ startsAt: "0001-01-01T00:00:00Z" })),
    post("/silences", silence({ id: "nothing" })),
    post("/silences", silence({ id: "00000000-0000-0000-0000-000000000000" })),
    post("/silences", silence({ id: 5 })),
    post("/silences", silence({ annotations: { a: "b" } })),
    post("/silences", silence({ annotations: { a: 5 } })),
    post("/silences", silence({ unknown: 1 })),
    post("/silences", {}),
    post("/silences", []),
    post("/silences", null),
    post("/silences", ""),
    post("/silences", "{"),
    post("/silences", silence({ id: "SILENCE_0", endsAt: at(7_200) })),
    post("/silences", silence({ id: "SILENCE_3", startsAt: at(2_000), comment: "even later" })),
    post("/silences", silence({ id: "SILENCE_1", matchers: [{ name: "b", value: "c", isRegex: false }] })),
    ...["SILENCE_0", "SILENCE_1", "SILENCE_3", "nothing", "00000000-0000-0000-0000-000000000000"].map((id) =>
      get(`/silence/${id}`),
    ),
    ...["", "?active=false", "?expired=false", "?pending=false", "?active=false&pending=false", "?active=x"].map(
      (query) => get(`/silences${query}`),
    ),
    ...[
      "alertname=silenced",
      "alertname%3Dsilenced",
      'alertname="silenced"',
      "a=~x.*",
      "a!=",
      "nothing=x",
      "alertname!=silenced",
      "(",
      "",
      "alertname=~(",
    ].map((filter) => get(`/silences?filter=${filter}`)),
    remove("SILENCE_2"),
    remove("SILENCE_2"),
    remove("nothing"),
    remove("00000000-0000-0000-0000-000000000000"),
    get("/silences"),
    get("/silence/SILENCE_2"),
    // What there is now.
    ...[
      "",
      "active=false",
      "silenced=false",
      "inhibited=false",
      "unprocessed=false",
      "active=false&silenced=false",
      "active=false&silenced=false&inhibited=false",
      "active=true",
      "active=1",
      "active=maybe",
      "active=",
      "silenced=FALSE",
      "receiver=a",
      "receiver=b",
      "receiver=a|b",
      "receiver=.*",
      "receiver=x",
      "receiver=",
      "receiver=(",
      "receiver_matchers=tier=one",
      "receiver_matchers=tier=~one|two",
      "receiver_matchers=tier!=one",
      "receiver_matchers=name=b",
      "receiver_matchers=(",
      "filter=alertname=plain",
      "filter=alertname%3D%22plain%22",
      "filter={alertname=plain}",
      "filter=alertname=~p.*",
      "filter=alertname!=plain",
      "filter=alertname!~p.*",
      "filter=team=b&filter=severity=page",
      "filter=team=",
      "filter=team!=",
      'filter=team=""',
      "filter=team=~",
      "filter=team=~.*",
      "filter=team!~.*",
      "filter=team=~.%2B",
      "filter=nothing=x",
      "filter=nothing!=x",
      "filter=%22dotted.name%22=x",
      "filter=dotted.name=x",
      "filter=alertname=%C3%A4%20%C3%B6",
      "filter=alertname=%22%C3%A4%20%C3%B6%22",
      "filter=",
      "filter=a",
      "filter=a=",
      "filter==a",
      "filter=a=b,c=d",
      "filter=a=~(",
      "filter=(",
      "filter=%7B%7D",
      "filter=a%20b=c",
      "unknown=x",
    ].flatMap((query) => [get(`/alerts?${query}`), get(`/alerts/groups?${query}`)]),
    ...["muted=false", "muted=true", "muted=x", "receiver=muted&muted=false", "active=false&muted=false"].map((query) =>
      get(`/alerts/groups?${query}`),
    ),
    ...["", "?receiver_matchers=tier=one", "?receiver_matchers=tier=", "?receiver_matchers=(", "?x=y"].map((query) =>
      get(`/receivers${query}`),
    ),
    ...["/-/healthy", "/-/ready"].map((path): ApiCase => ({ method: "GET", path })),
    { method: "GET", path: "/-/reload" },
    { method: "POST", path: "/-/healthy" },
    get("/status"),
  ];
}
