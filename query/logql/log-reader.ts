import type { LogStore } from "@sightline/model/log-store.ts";

/** What LogQL uses of a store. Of one that can't count, records are read. */
export type LogReader = Pick<LogStore, "select"> & Partial<Pick<LogStore, "counts" | "streams" | "appliesFields">>;
