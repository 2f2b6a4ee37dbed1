import type { LogCountGroup, LogCountRequest } from "@sightline/model/log-store.ts";
import { countByTimes } from "./count-by-times.ts";
import { CountGroups } from "./count-groups.ts";
import { countHotRows } from "./count-hot-rows.ts";
import { countSegmentRows } from "./count-segment-rows.ts";
import { type LogReader, LogScope } from "./log-scope.ts";
import type { SegmentTimes } from "./segment-times.ts";

/** Counts records on one snapshot. */
export class LogCountQuery {
  readonly #scope: LogScope;
  readonly #request: LogCountRequest;
  readonly #times: SegmentTimes;

  /** Throws `InvalidInputError` for a regular expression that is not valid. */
  constructor(reader: LogReader, times: SegmentTimes, request: LogCountRequest, signal: AbortSignal) {
    this.#times = times;
    this.#scope = new LogScope(reader, request, signal);
    this.#request = request;
  }

  /** Undefined when not everything can be counted exactly, or there are too many groups. */
  async run(): Promise<readonly LogCountGroup[] | undefined> {
    const { reader, signal } = this.#scope;
    signal.throwIfAborted();
    const groups = new CountGroups(this.#request);
    const snapshot = reader.snapshot(this.#request.tenant);
    try {
      const pushed = await this.#scope.pushedDown();
      if (!pushed.areLinesComplete) return undefined;
      for (const segment of snapshot.segments.filter(({ info }) => this.#scope.overlaps(info))) {
        const scope = await this.#scope.ofSegment(segment, pushed);
        if (!scope) continue;
        try {
          const known = { query: this.#scope, times: this.#times, groups };
          const byTimes = await countByTimes(segment, scope, this.#request, known);
          if (byTimes === "too many groups") return undefined;
          if (byTimes === "yes") continue;
          if (!(await countSegmentRows(scope, this.#request, this.#scope, groups))) return undefined;
        } finally {
          scope.release();
        }
      }
      for (const hot of snapshot.hot.filter((one) => this.#scope.overlaps(one))) {
        if (!(await countHotRows(hot, this.#request, this.#scope, groups))) return undefined;
      }
    } finally {
      snapshot.release();
    }
    return groups.finish();
  }
}
