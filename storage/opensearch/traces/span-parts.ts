import type { SpanEvent, SpanLink } from "@sightline/model/span-batch.ts";
import { type FlatAttributes, flatten, unflatten } from "../rows/attribute-text.ts";

/** Events and links as they stand in a document; numbers that are missing at the end are 0. */
export type EventText = readonly [timeNs: string, name: string, attributes: FlatAttributes, dropped?: number];
export type LinkText = readonly [
  traceId: string,
  spanId: string,
  traceState: string,
  attributes: FlatAttributes,
  flags?: number,
  dropped?: number,
];

export function eventText({ timeNs, name, attributes, droppedAttributes }: SpanEvent): EventText {
  const event = [String(timeNs), name, flatten(attributes)] as const;
  return droppedAttributes ? [...event, droppedAttributes] : event;
}

export function eventOfText([timeNs, name, attributes, dropped]: EventText): SpanEvent {
  const event = { timeNs: BigInt(timeNs), name, attributes: unflatten(attributes) };
  return dropped ? { ...event, droppedAttributes: dropped } : event;
}

export function linkText({ traceId, spanId, traceState, attributes, flags, droppedAttributes }: SpanLink): LinkText {
  const link = [traceId, spanId, traceState, flatten(attributes)] as const;
  return flags || droppedAttributes ? [...link, flags ?? 0, droppedAttributes ?? 0] : link;
}

export function linkOfText([traceId, spanId, traceState, attributes, flags, dropped]: LinkText): SpanLink {
  const link = { traceId, spanId, traceState, attributes: unflatten(attributes) };
  return { ...link, ...(flags && { flags }), ...(dropped && { droppedAttributes: dropped }) };
}
