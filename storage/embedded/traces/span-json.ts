import type { SpanEvent, SpanLink } from "@sightline/model/span-batch.ts";
import { type FlatAttributes, flatten, unflatten } from "../segments/flat-attributes.ts";

type EventJson = readonly [timeNs: string, name: string, attributes: FlatAttributes, dropped?: number];
type LinkJson = readonly [
  traceId: string,
  spanId: string,
  traceState: string,
  attributes: FlatAttributes,
  flags?: number,
  dropped?: number,
];

/** Null for no events, which is what most spans have. */
export function eventsToText(events: readonly SpanEvent[] | undefined): string | null {
  if (!events || events.length === 0) return null;
  return JSON.stringify(
    events.map(({ timeNs, name, attributes, droppedAttributes }): EventJson => {
      const event = [String(timeNs), name, flatten(attributes)] as const;
      return droppedAttributes ? [...event, droppedAttributes] : event;
    }),
  );
}

export function eventsFromText(text: string): SpanEvent[] {
  return (JSON.parse(text) as EventJson[]).map(([timeNs, name, attributes, dropped]) => {
    const event = { timeNs: BigInt(timeNs), name, attributes: unflatten(attributes) };
    return dropped ? { ...event, droppedAttributes: dropped } : event;
  });
}

export function linksToText(links: readonly SpanLink[] | undefined): string | null {
  if (!links || links.length === 0) return null;
  return JSON.stringify(
    links.map(({ traceId, spanId, traceState, attributes, flags, droppedAttributes }): LinkJson => {
      const link = [traceId, spanId, traceState, flatten(attributes)] as const;
      return flags || droppedAttributes ? [...link, flags ?? 0, droppedAttributes ?? 0] : link;
    }),
  );
}

export function linksFromText(text: string): SpanLink[] {
  return (JSON.parse(text) as LinkJson[]).map(([traceId, spanId, traceState, attributes, flags, dropped]) => {
    const link = { traceId, spanId, traceState, attributes: unflatten(attributes) };
    return { ...link, ...(flags && { flags }), ...(dropped && { droppedAttributes: dropped }) };
  });
}
