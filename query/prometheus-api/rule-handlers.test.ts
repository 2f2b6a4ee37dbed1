import type { RuleGroupState, RuleState, RuleStates } from "@sightline/model/rules.ts";
import { describe, expect, test } from "vitest";
import { prometheusApp } from "./prometheus-test-app.ts";

const EVALUATED = { health: "ok", lastError: "", evaluationMs: 2, lastEvaluationMs: 1_790_000_000_120 } as const;
const record: RuleState = {
  type: "recording",
  name: "job:up:sum",
  query: "sum by (job) (up)",
  language: "promql",
  labels: { team: "a" },
  ...EVALUATED,
};
const alert: RuleState = {
  type: "alerting",
  name: "Down",
  query: "up == 0",
  language: "promql",
  labels: { severity: "page" },
  annotations: { text: "{{ $value }}" },
  forMs: 60_000,
  keepFiringForMs: 1_500,
  state: "firing",
  alerts: [
    {
      labels: { alertname: "Down" },
      annotations: { text: "0" },
      state: "firing",
      activeAtMs: 1_790_000_000_000,
      keepFiringSinceMs: 0,
      value: 0.25,
    },
  ],
  ...EVALUATED,
  health: "err",
  lastError: "too slow",
};
const group = (name: string, file: string, rules: readonly RuleState[]): RuleGroupState => ({
  name,
  file,
  intervalMs: 30_000,
  limit: 5,
  evaluationMs: 4,
  lastEvaluationMs: 0,
  rules,
});
const RULES: RuleStates = {
  alertmanagers: ["http://am/api/v2/alerts"],
  groups: (tenant) =>
    tenant === "default"
      ? [group("a", "f1", [record, alert]), group("b", "f1", [record]), group("a", "f2", [alert])]
      : [],
};

const app = await prometheusApp([], { rules: RULES });
async function ask(url: string) {
  return (await app.inject(`/api/v1/${url}`)).json().data;
}

test("groups and rules look as those of Prometheus", async () => {
  const { groups } = await ask("rules?file[]=f1&rule_group[]=a");
  expect(groups).toEqual([
    {
      name: "a",
      file: "f1",
      interval: 30,
      limit: 5,
      evaluationTime: 0.004,
      lastEvaluation: "0001-01-01T00:00:00Z",
      rules: [
        {
          name: "job:up:sum",
          query: "sum by (job) (up)",
          labels: { team: "a" },
          health: "ok",
          evaluationTime: 0.002,
          lastEvaluation: "2026-09-21T14:13:20.12Z",
          type: "recording",
        },
        {
          state: "firing",
          name: "Down",
          query: "up == 0",
          duration: 60,
          keepFiringFor: 1.5,
          labels: { severity: "page" },
          annotations: { text: "{{ $value }}" },
          alerts: [
            {
              labels: { alertname: "Down" },
              annotations: { text: "0" },
              state: "firing",
              activeAt: "2026-09-21T14:13:20Z",
              value: "2.5e-01",
            },
          ],
          health: "err",
          lastError: "too slow",
          evaluationTime: 0.002,
          lastEvaluation: "2026-09-21T14:13:20.12Z",
          type: "alerting",
        },
      ],
    },
  ]);
});

describe("filters", () => {
  const names = async (filter: string) => {
    const { groups } = await ask(`rules?${filter}`);
    type Shown = { file: string; name: string; rules: { name: string }[] };
    return groups.map(({ file, name, rules }: Shown) => `${file}/${name} ${rules.map((rule) => rule.name)}`).join("; ");
  };
  test.each([
    ["", "f1/a job:up:sum,Down; f1/b job:up:sum; f2/a Down"],
    ["type=alert", "f1/a Down; f2/a Down"],
    ["type=record", "f1/a job:up:sum; f1/b job:up:sum"],
    ["rule_name[]=Down", "f1/a Down; f2/a Down"],
    ["rule_group[]=a&rule_group[]=b&file[]=f2", "f2/a Down"],
    ["match[]={team='a'}", "f1/a job:up:sum; f1/b job:up:sum"],
    ["match[]={team='a'}&match[]={severity=~'p.*'}", "f1/a job:up:sum,Down; f1/b job:up:sum; f2/a Down"],
    ["type=alert&match[]={team='a'}", ""],
  ])("%s", async (filter, want) => expect(await names(filter)).toBe(want));
});

test("pages follow each other until there are no more", async () => {
  const seen: string[] = [];
  let token = "";
  for (let page = 0; page < 5; page++) {
    const { groups, groupNextToken } = await ask(`rules?group_limit=1&type=alert&group_next_token=${token}`);
    seen.push(...groups.map(({ file }: { file: string }) => file));
    if (groupNextToken === undefined) break;
    token = groupNextToken;
  }
  expect(seen).toEqual(["f1", "f2"]);
});

test("alerts can be left out, listed by themselves, and belong to their tenant", async () => {
  expect((await ask("rules?type=alert&exclude_alerts=true")).groups[0].rules[0].alerts).toBeNull();
  expect((await ask("alerts")).alerts).toHaveLength(2);
  const other = await app.inject({ url: "/api/v1/alerts", headers: { "x-scope-orgid": "other" } });
  expect(other.json().data.alerts).toEqual([]);
  expect((await ask("alertmanagers")).activeAlertmanagers).toEqual([{ url: "http://am/api/v2/alerts" }]);
});
