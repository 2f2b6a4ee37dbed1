import { z } from "zod";

/** Who may call, and how that is found out. */
export const authConfig = z.strictObject({
  mode: z
    .enum(["none", "keys"])
    .default("none")
    .describe(
      "none: whoever reaches an address may write and read, as the tenant that the request names. keys: every request " +
        "needs an API key (sightline keys create), which says whose tenant it is; only /-/healthy, /-/ready and / are open.",
    ),
  allow_unauthenticated: z
    .boolean()
    .default(false)
    .describe("Allow mode none beyond loopback: only behind a proxy that authenticates and sets X-Scope-OrgID itself."),
  metrics: z
    .enum(["key", "open"])
    .default("key")
    .describe("With mode keys, /metrics takes a key that may read the tenant system, or is open to everybody."),
  max_failures_per_minute: z
    .number()
    .int()
    .min(1)
    .default(600)
    .describe("Of one client address: beyond it, wrong credentials are answered with 429. Right ones always pass."),
});

export type AuthConfig = z.output<typeof authConfig>;
