import type { Authenticator } from "@sightline/model/access.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { CollectorConfig } from "../config.ts";
import type { Ingest } from "../ingest.ts";

/** What every receiver is given. */
export type ReceiverDeps = {
  readonly ingest: Pick<Ingest, "submit" | "budget">;
  readonly authenticator: Authenticator;
  readonly config: CollectorConfig;
  readonly logger: Logger;
};
