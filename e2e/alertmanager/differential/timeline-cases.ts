/** What is done at a time, in seconds after the start, to both servers alike. */
export type Step =
  | { readonly atSeconds: number; readonly post: readonly object[] }
  | { readonly atSeconds: number; readonly silence: object }
  | { readonly atSeconds: number; readonly reload: string };

type Labels = Readonly<Record<string, string>>;

/** Hooks are told apart by the end of their address; `HOOK` is where they listen. */
const hook = (name: string, more = "") => `- name: '${name}'\n  webhook_configs: [{url: 'HOOK/${name}'${more}}]\n`;

const NOW = new Date();
const HOUR = NOW.getUTCHours();
const clock = (hour: number, minute = "00") => `${String(Math.max(0, Math.min(24, hour))).padStart(2, "0")}:${minute}`;

const config = (groupInterval: string) => `
route:
  receiver: rest
  group_by: [case]
  group_wait: 1s
  group_interval: ${groupInterval}
  repeat_interval: 1h
  routes:
  - {receiver: plain, matchers: [case=plain]}
  - {receiver: grouped, matchers: [case=grouped], group_by: [case, cluster, missing]}
  - {receiver: all, matchers: [case=all], group_by: ['...']}
  - {receiver: none, matchers: [case=none], group_by: []}
  - {receiver: nested, matchers: [case=nested], routes: [{matchers: [deep=yes], routes: [{matchers: [deeper=yes], receiver: deepest}]}]}
  - {receiver: first, matchers: [case=continue], continue: true}
  - {receiver: second, matchers: ['case=~"cont.*"'], continue: true, labels: {a: '{{ .GroupLabels.case }}', b: x}}
  - {receiver: third, matchers: [case=continue]}
  - {receiver: never, matchers: [case=continue]}
  - {receiver: repeated, matchers: [case=repeated], repeat_interval: 4s}
  - {receiver: truncated, matchers: [case=truncated]}
  - {receiver: quiet, matchers: [case=quiet]}
  - {receiver: inhibited, matchers: [case=inhibited]}
  - {receiver: silenced, matchers: [case=silenced]}
  - {receiver: muted, matchers: [case=muted], mute_time_intervals: [always]}
  - {receiver: inactive, matchers: [case=inactive], active_time_intervals: [never]}
  - {receiver: active, matchers: [case=active], active_time_intervals: [never, always]}
  - {receiver: zoned, matchers: [case=zoned], active_time_intervals: [now in tokyo]}
  - {receiver: unzoned, matchers: [case=zoned-not], active_time_intervals: [other time in tokyo]}
  - {receiver: two, matchers: [case=two]}
  - {receiver: 're.g(ex', matchers: [case=regex]}
  - {receiver: slow, matchers: [case=slow], group_wait: 4s, group_interval: 1s}
  - {receiver: old, matchers: [case=old], group_wait: 20s}
  - {receiver: payload, matchers: [case=payload]}
receivers:
${["plain", "grouped", "all", "none", "nested", "deepest", "first", "second", "third", "never", "repeated"].map((name) => hook(name)).join("")}
${["inhibited", "silenced", "muted", "inactive", "active", "zoned", "unzoned", "rest", "slow", "old"].map((name) => hook(name)).join("")}
${hook("truncated", ", max_alerts: 2")}${hook("quiet", ", send_resolved: false")}
- name: 're.g(ex'
  webhook_configs: [{url: 'HOOK/regex'}]
- name: two
  webhook_configs: [{url: 'HOOK/two-a'}, {url: 'HOOK/two-b', send_resolved: false}]
- name: payload
  webhook_configs: [{url: 'HOOK/payload', payload: {count: '{{ len .Alerts }}', list: ['{{ .Status }}', 5], nested: {x: '{{ .GroupLabels.case }}', none: null, fine: true}}}]
inhibit_rules:
- {source_matchers: [severity=critical], target_matchers: [severity=~"warning|info"], equal: [case, instance]}
- {source_matchers: [severity=warning], target_matchers: [severity=info], equal: [case, instance]}
- {source_matchers: [self=yes], target_matchers: [self=yes], equal: [case]}
time_intervals:
- {name: always, time_intervals: [{times: [{start_time: '00:00', end_time: '24:00'}]}]}
- {name: never, time_intervals: [{years: ['1999']}]}
- {name: now in tokyo, time_intervals: [{times: [{start_time: '${clock((HOUR + 9) % 24)}', end_time: '${clock(((HOUR + 9) % 24) + 1)}'}, {start_time: '${clock((HOUR + 10) % 24)}', end_time: '${clock(((HOUR + 10) % 24) + 1)}'}], location: Asia/Tokyo}]}
- {name: other time in tokyo, time_intervals: [{times: [{start_time: '${clock((HOUR + 15) % 24)}', end_time: '${clock(((HOUR + 15) % 24) + 1)}'}], location: Asia/Tokyo}]}
`;

export const TIMELINE_CONFIG = config("2s");

/** `startMs`: when the timeline begins. */
export function timeline(startMs: number): readonly Step[] {
  const at = (seconds: number) => new Date(startMs + seconds * 1_000).toISOString();
  const alert = (labels: Labels, more: object = {}) => ({ labels, startsAt: at(0), endsAt: at(600), ...more });
  const over = (labels: Labels, seconds: number) => alert(labels, { endsAt: at(seconds) });
  const of = (name: string, more: Labels = {}) => ({ alertname: "a", case: name, ...more });
  const cases = "plain all none repeated quiet muted inactive active zoned zoned-not two regex slow payload unrouted";
  return [
    { atSeconds: 0, post: cases.split(" ").map((name) => alert(of(name), { annotations: { summary: name } })) },
    {
      atSeconds: 0,
      post: [
        alert(of("grouped", { cluster: "x", instance: "1" })),
        alert(of("grouped", { cluster: "x", instance: "2", job: "b" })),
        alert(of("grouped", { cluster: "y", instance: "1" }), { annotations: { a: "1", b: "2" } }),
        alert(of("grouped", { instance: "3" })),
        alert(of("all", { instance: "2" })),
        alert(of("nested", { deep: "yes" })),
        alert(of("nested", { deep: "yes", deeper: "yes" })),
        alert(of("nested", { deep: "no" })),
        alert(of("continue")),
        ...["5", "1", "10", "2"].map((instance) => alert(of("truncated", { instance }))),
        // A source without the label, and a target without: missing is as good as empty.
        alert(of("inhibited", { severity: "critical", alertname: "source 1" })),
        alert(of("inhibited", { severity: "warning", alertname: "target 1" })),
        alert(of("inhibited", { severity: "critical", alertname: "source 2", instance: "i" })),
        alert(of("inhibited", { severity: "warning", alertname: "target 2", instance: "i" })),
        alert(of("inhibited", { severity: "info", alertname: "end of chain", instance: "i" })),
        alert(of("inhibited", { severity: "warning", alertname: "alone", instance: "j" })),
        alert(of("inhibited", { severity: "info", alertname: "held by alone", instance: "j" })),
        alert(of("inhibited", { self: "yes", alertname: "self 1" })),
        alert(of("inhibited", { self: "yes", alertname: "self 2" })),
        alert(of("silenced", { instance: "1" })),
        alert(of("silenced", { instance: "2" })),
        alert(of("old"), { startsAt: at(-60) }),
        over(of("rest", { alertname: "over before" }), -5),
      ],
    },
    {
      atSeconds: 0,
      silence: {
        matchers: [
          { name: "instance", value: "1", isRegex: false },
          { name: "case", value: "silenced", isRegex: false },
        ],
        startsAt: at(-1),
        endsAt: at(9),
      },
    },
    {
      atSeconds: 0,
      silence: {
        matchers: [
          { name: "instance", value: "2", isRegex: false },
          { name: "case", value: "silenced", isRegex: false },
        ],
        startsAt: at(3),
        endsAt: at(600),
      },
    },
    {
      atSeconds: 4,
      post: [
        alert(of("plain", { instance: "later" })),
        over(of("grouped", { cluster: "x", instance: "1" }), 4),
        over(of("two"), 4),
        over(of("quiet"), 4),
        over(of("payload"), 4),
        over(of("inhibited", { severity: "critical", alertname: "source 2", instance: "i" }), 4),
        over(of("silenced", { instance: "2" }), 4),
        over(of("slow"), 2),
      ],
    },
    { atSeconds: 6.5, reload: config("3s") },
    { atSeconds: 9.5, post: [over(of("plain"), 9), over(of("plain", { instance: "later" }), 9), alert(of("two"))] },
    { atSeconds: 13.5, post: [alert(of("plain")), alert(of("repeated", { instance: "new" }))] },
    { atSeconds: 17, post: [over(of("repeated"), 17), over(of("repeated", { instance: "new" }), 17)] },
  ];
}

export const TIMELINE_SECONDS = 24;
