import type { Signal } from "@sightline/model/ports.ts";
import { TAIL_DECISION } from "./tail-sampling/tail-decision.ts";
import type { LoggedRequest } from "./wal/record.ts";

/** The signal of a request, from the name of its protocol alone, so that a replay decodes only what it needs. */
export function signalOf({ protocol }: Pick<LoggedRequest, "protocol">): Signal {
  if (protocol.startsWith("otlp-logs") || protocol.startsWith("loki-push")) return "logs";
  return protocol.startsWith("otlp-traces") || protocol === TAIL_DECISION ? "traces" : "metrics";
}
