import type { FuzzTargets } from "../target.ts";
import { askedTargets } from "./asked.ts";
import { configuredTargets } from "./configured.ts";
import { framedTargets } from "./framed.ts";
import { keptTargets } from "./kept.ts";
import { lineTargets } from "./lines.ts";
import { goodMessages } from "./messages.ts";
import { receivedTargets } from "./received.ts";
import { storedTargets } from "./stored.ts";

/** Every decoder there is. Parquet is DuckDB's, and read only after its checksum was found to be right. */
export async function allTargets(): Promise<FuzzTargets> {
  const messages = await goodMessages();
  const groups: FuzzTargets[] = [
    { targets: receivedTargets(messages) },
    await storedTargets(),
    await keptTargets(),
    await askedTargets(),
    { targets: lineTargets() },
    configuredTargets(),
    await framedTargets(messages),
  ];
  return {
    targets: groups.flatMap(({ targets }) => targets),
    close: async () => {
      for (const { close } of groups) await close?.();
    },
  };
}
