import { positive } from "@sightline/settings/setting-types.ts";
import { z } from "zod";

const KIB = 1024;

/** What notifications may do and cost, whoever wrote the receivers. */
export const notifyConfig = z
  .strictObject({
    allow_private_targets: z
      .boolean()
      .default(true)
      .describe(
        "Receivers may name loopback and private networks. Set it to false where others than the operator write receivers. " +
          "Link-local addresses (where clouds hand out credentials) are always refused.",
      ),
    allowed_hosts: z
      .array(z.string().min(1))
      .default([])
      .describe("Host names (hooks.example.com, *.example.com), addresses and networks that may be contacted anyhow"),
    request_timeout_ms: positive
      .default(30_000)
      .describe("Longest time for one request of a notification, redirects included; then it is tried again"),
    max_response_bytes: positive.default(64 * KIB).describe("So much of an answer is read; the rest is not waited for"),
    max_template_chars: positive
      .default(KIB * KIB)
      .describe(
        "Longest text a template may make. A notification that would be longer is made of the first alerts of its group only, " +
          "and says so in its history.",
      ),
    max_template_steps: positive
      .default(300_000)
      .describe("Actions that a template may run for one text; beyond it as for max_template_chars"),
    max_template_ms: positive
      .default(250)
      .describe("CPU time that a template may take for one text; beyond it as for max_template_chars"),
    max_per_minute: z
      .record(z.string(), positive)
      .default({})
      .describe("Notifications per minute by integration (slack: 60), for each receiver's entry; those beyond it wait"),
  })
  .prefault({});

export type NotifyConfig = z.output<typeof notifyConfig>;
