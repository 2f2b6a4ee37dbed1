import { expect, test } from "vitest";
import type { Decision } from "./decision.ts";
import { decisionSentence } from "./decision-sentence.ts";

const about = { groupKey: "{}:{}", receiver: "ops", integration: "slack[0]" };

test.each([
  ["firing", {}, {}, "the alert fires"],
  ["grouped", { receiver: "ops", groupKey: "{}:{}" }, {}, "it is told to receiver ops with the group {}:{}"],
  ["silenced", {}, { by: ["id1", "id2"] }, "it is held back: silenced by id1, id2"],
  ["inhibited", {}, { by: "0a" }, "it is held back: inhibited by the alert 0a"],
  [
    "flapping",
    {},
    { changes: 7, since: "2026-01-05T12:00:00.000Z" },
    "its changes are held back: it flaps, with 7 between firing and resolved since 2026-01-05T12:00:00.000Z",
  ],
  ["muted", {}, { by: ["nights"] }, "the group is held back: the time is within nights (mute_time_intervals)"],
  [
    "inactive",
    {},
    { intervals: ["work"] },
    "the group is held back: the time is outside of work (active_time_intervals)",
  ],
  ["released", {}, { from: "silenced" }, "it is not silenced any more"],
  [
    "attempt",
    about,
    { attempt: 2, ok: false, answer: "500" },
    "attempt 2 to tell receiver ops by slack[0] failed: 500",
  ],
  ["notified", about, { reason: "first notification" }, "receiver ops by slack[0] was told: first notification"],
  ["failed", about, { answer: "500" }, "receiver ops by slack[0] could not be told: 500"],
] as const)("%s is said in one sentence", (kind, of, detail, want) => {
  expect(decisionSentence({ atMs: 0, kind: kind as Decision["kind"], ...of, detail })).toBe(want);
});
