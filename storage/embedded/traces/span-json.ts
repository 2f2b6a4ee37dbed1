import type { SpanEvent, SpanLink } from "@sightline/model/span-batch.ts";
import { type FlatAttributes, flatten, unflatten } from "../segments/flat-attributes.ts";

type EventJson = readonly [timeNs: string, name: string, attributes: FlatAttributes];
type LinkJson = readonly [traceId: string, spanId: string, traceState: string, attributes: FlatAttributes];

/** Null for no events, which is what most spans have. */
export function eventsToText(events: readonly SpanEvent[] | undefined): string | null {
  if (!events || events.length === 0) return null;
  return JSON.stringify(
    events.map(({ timeNs, name, attributes }): EventJson => [String(timeNs), name, flatten(attributes)]),
  );
}

export function eventsFromText(text: string): SpanEvent[] {
  return (JSON.parse(text) as EventJson[]).map(([timeNs, name, attributes]) => {
    return { timeNs: BigInt(timeNs), name, attributes: unflatten(attributes) };
  });
}

export function linksToText(links: readonly SpanLink[] | undefined): string | null {
  if (!links || links.length === 0) return null;
  return JSON.stringify(
    links.map(({ traceId, spanId, traceState, attributes }): LinkJson => {
      return [traceId, spanId, traceState, flatten(attributes)];
    }),
  );
}

export function linksFromText(text: string): SpanLink[] {
  return (JSON.parse(text) as LinkJson[]).map(([traceId, spanId, traceState, attributes]) => {
    return { traceId, spanId, traceState, attributes: unflatten(attributes) };
  });
}
