import { expect, test } from "vitest";
import {
  FIRING,
  GROUP_HASH,
  NEVER,
  notificationOf,
  notifierOf,
  problemOf,
  RESOLVED,
} from "../testing/notifier-fixture.ts";
import { Vendor } from "../testing/vendor.ts";
import { jira } from "./jira.ts";

/** A Jira with one issue, or none, of the group. */
function jiraWith(issue?: { readonly category: string }) {
  return ({ method, path }: { readonly method: string; readonly path: string }) => {
    if (path.includes("/search"))
      return {
        body: {
          issues: issue ? [{ key: "OPS-7", fields: { status: { statusCategory: { key: issue.category } } } }] : [],
        },
      };
    if (path.endsWith("/transitions") && method === "GET")
      return {
        body: {
          transitions: [
            { id: "31", name: "Reopen" },
            { id: "41", name: "Done" },
          ],
        },
      };
    return path.endsWith("/issue") ? { status: 201, body: { key: "OPS-8" } } : { status: 204 };
  };
}
const ACCEPTED = jiraWith();

const vendor = Vendor.forTests(ACCEPTED);

const send = (entry: object = {}, alerts = [FIRING]) =>
  notifierOf(jira, { api_url: `${vendor.url}/rest/api/2/`, project: "OPS", issue_type: "Bug", ...entry }).notify(
    notificationOf(alerts),
    NEVER,
  );
const asked = () => vendor.requests.map(({ method, path }) => `${method} ${path}`);
const LABEL = `ALERT{${GROUP_HASH}}`;

test("a group without an issue gets one", async () => {
  await expect(
    send({ labels: ["z", "{{ .Status }}"], fields: { customfield_1: { id: "{{ .Alerts | len }}" } } }),
  ).resolves.toMatchObject({ ok: true });
  expect(asked()).toEqual(["POST /rest/api/2/search", "POST /rest/api/2/issue"]);
  expect(JSON.parse(vendor.requests[0]?.body ?? "")).toEqual({
    fields: ["status"],
    jql: `statusCategory != Done and project="OPS" and labels="${LABEL}" order by status ASC,resolutiondate DESC`,
    maxResults: 2,
  });
  expect(vendor.lastJson).toMatchObject({
    fields: {
      project: { key: "OPS" },
      issuetype: { name: "Bug" },
      summary: "[FIRING:1] Down (a critical)",
      priority: { name: "High" },
      labels: [LABEL, "firing", "z"],
      customfield_1: { id: 1 },
    },
  });
});

test("resolved alerts without an issue make none", async () => {
  await expect(send({}, [RESOLVED])).resolves.toMatchObject({ ok: true });
  expect(asked()).toEqual(["POST /rest/api/2/search"]);
});

test("an open issue is updated, and closed with its alerts", async () => {
  vendor.answers(jiraWith({ category: "new" }));
  await send({ resolve_transition: "Done", summary: { enable_update: false } });
  expect(asked()).toEqual(["POST /rest/api/2/search", "PUT /rest/api/2/issue/OPS-7"]);
  expect((vendor.lastJson as { fields: object }).fields).not.toHaveProperty("summary");
  vendor.requests.length = 0;
  await expect(send({ resolve_transition: "Done" }, [RESOLVED])).resolves.toMatchObject({ ok: true });
  expect(asked().slice(2)).toEqual([
    "GET /rest/api/2/issue/OPS-7/transitions",
    "POST /rest/api/2/issue/OPS-7/transitions",
  ]);
  expect(vendor.lastJson).toEqual({ transition: { id: "41" } });
});

test("an issue that was closed of late is opened again", async () => {
  vendor.answers(jiraWith({ category: "done" }));
  await send({ reopen_transition: "Reopen", reopen_duration: "1h", wont_fix_resolution: "Won't Do" });
  expect(vendor.requests[0]?.body).toContain("(resolutiondate is EMPTY OR resolutiondate \\u003e= -60m)");
  expect(vendor.requests[0]?.body).toContain('resolution != \\"Won\'t Do\\"');
  expect(vendor.lastJson).toEqual({ transition: { id: "31" } });
});

test("version 3 wants descriptions as documents, and Jira Cloud is searched in its own way", async () => {
  const entry = { api_url: `${vendor.url}/rest/api/3`, api_type: "cloud" };
  await expect(send({ ...entry, description: "plain" })).resolves.toMatchObject({ ok: false, retry: false });
  await send({ ...entry, description: '{"type":"doc"}' });
  expect(asked().slice(-2)).toEqual(["POST /rest/api/3/search/jql", "POST /rest/api/3/issue"]);
  expect(vendor.lastJson).toMatchObject({ fields: { description: { type: "doc" } } });
});

test.each([
  ["a wrong field", { status: 400, body: "bad" }, false],
  ["too many requests", { status: 429, body: "" }, true],
  ["a broken server", { status: 500, body: "" }, true],
])("%s", async (_, answer, retry) => {
  vendor.answers((request) => (request.path.endsWith("/issue") ? answer : ACCEPTED(request)));
  const result = await send();
  expect(result).toMatchObject({ ok: false, retry });
  expect(result.detail).toContain('failed to POST request to "issue": unexpected status code');
});

test("a transition that is not there is said", async () => {
  vendor.answers(jiraWith({ category: "new" }));
  await expect(send({ resolve_transition: "Nope" }, [RESOLVED])).resolves.toMatchObject({
    ok: false,
    retry: false,
    detail: "can't find transition Nope for issue OPS-7",
  });
});

test.each([
  [{}, "missing project in jira_config"],
  [{ project: "a" }, "missing issue_type in jira_config"],
  [{ project: "a", issue_type: "b" }, "no global Jira Cloud URL set"],
  [
    { project: "a", issue_type: "b", api_type: "x" },
    "unknown api_type on jira_config, must be auto, cloud or datacenter",
  ],
])("%j is refused: %s", (entry, problem) => expect(problemOf(jira, entry)).toBe(problem));
