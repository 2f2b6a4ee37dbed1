import type { Decision } from "./decision.ts";

type Told = { readonly who: string; readonly detail: Decision["detail"]; readonly groupKey: string };

const names = (value: unknown) => (Array.isArray(value) ? value.join(", ") : String(value ?? ""));

/** By kind: what a person wants to read who was woken up, or was not. */
const SENTENCES: Readonly<Record<Decision["kind"], (told: Told) => string>> = {
  firing: () => "the alert fires",
  resolved: () => "the alert is over",
  grouped: ({ who, groupKey }) => `it is told to ${who} with the group ${groupKey}`,
  dropped: ({ who, detail }) => `${who} is not told: ${names(detail.why)}`,
  inhibited: ({ detail }) => `it is held back: inhibited by the alert ${names(detail.by)}`,
  silenced: ({ detail }) => `it is held back: silenced by ${names(detail.by)}`,
  flapping: ({ detail }) =>
    `its changes are held back: it flaps, with ${names(detail.changes)} between firing and resolved since ${names(detail.since)}`,
  muted: ({ detail }) => `the group is held back: the time is within ${names(detail.by)} (mute_time_intervals)`,
  inactive: ({ detail }) =>
    `the group is held back: the time is outside of ${names(detail.intervals)} (active_time_intervals)`,
  released: ({ detail }) => `it is not ${names(detail.from)} any more`,
  "not-notified": ({ who, detail }) => `${who} was not told: ${names(detail.reason)}`,
  attempt: ({ who, detail }) =>
    `attempt ${names(detail.attempt)} to tell ${who} ${detail.ok ? "succeeded" : "failed"}: ${names(detail.answer)}`,
  notified: ({ who, detail }) => `${who} was told: ${names(detail.reason)}`,
  failed: ({ who, detail }) => `${who} could not be told: ${names(detail.answer)}`,
};

/** In one sentence. */
export function decisionSentence({ kind, receiver = "", integration, groupKey = "", detail }: Decision): string {
  const who = integration === undefined ? `receiver ${receiver}` : `receiver ${receiver} by ${integration}`;
  return SENTENCES[kind]({ who, detail, groupKey });
}
