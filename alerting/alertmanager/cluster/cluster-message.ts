import { InvalidInputError } from "@sightline/model/errors.ts";
import { z } from "zod";
import { labelMap } from "../labels.ts";

const member = z.object({ name: z.string().min(1).max(200), address: z.string().min(1).max(300) });
const labels = z.record(z.string(), z.string()).transform((value) => labelMap(value));
const time = z.number().finite();

const silence = z.object({
  id: z.string().min(1).max(200),
  matchers: z.array(z.object({ name: z.string(), op: z.enum(["=", "!=", "=~", "!~"]), value: z.string() })).max(1_000),
  startsAtMs: time,
  endsAtMs: time,
  updatedAtMs: time,
  createdBy: z.string(),
  comment: z.string(),
  annotations: z.record(z.string(), z.string()),
});
const notification = z.object({
  groupKey: z.string(),
  receiver: z.string(),
  integration: z.string(),
  firing: z.array(z.string()),
  resolved: z.array(z.string()),
  timeMs: time,
  expiresAtMs: time,
  memory: z.record(z.string(), z.string().max(1_024)).optional(),
});
const alert = z.object({
  fingerprint: z.string().length(16),
  labels,
  annotations: labels,
  startsAtMs: time,
  endsAtMs: time,
  updatedAtMs: time,
  generatorUrl: z.string(),
  isTimeout: z.boolean(),
});
const update = z.object({
  tenant: z.string(),
  silences: z.array(silence).default([]),
  notifications: z.array(notification).default([]),
  alerts: z.array(alert).default([]),
});
const message = z.object({
  from: member,
  /** All that the sender takes for alive, itself included. */
  members: z.array(member).max(1_000),
  updates: z.array(update).default([]),
  /** The sender wants to be sent all that is known. */
  wantsState: z.boolean().default(false),
  /** What was wanted has been sent. */
  endsState: z.boolean().default(false),
  /** The sender stops. */
  leaves: z.boolean().default(false),
});

export type ClusterMember = z.output<typeof member>;
export type ClusterUpdate = z.output<typeof update>;
/** What one replica posts to another; the answer is one, too, without updates. */
export type ClusterMessage = z.output<typeof message>;

/** Throws `InvalidInputError`. */
export function parseClusterMessage(text: string): ClusterMessage {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new InvalidInputError("a message of a replica is no JSON", { cause });
  }
  const result = message.safeParse(json);
  if (result.success) return result.data;
  throw new InvalidInputError(`a message of a replica is wrong: ${result.error.issues[0]?.message}`, {
    cause: result.error,
  });
}
