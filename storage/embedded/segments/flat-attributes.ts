import type { Attributes, AttributeType } from "@sightline/model/attributes.ts";

/** Attributes as they are written in JSON. */
export type FlatAttributes = readonly (readonly [name: string, type: AttributeType, value: string])[];

export function flatten(attributes: Attributes): FlatAttributes {
  return attributes.map(({ name, type, value }) => [name, type, value] as const);
}

export function unflatten(flat: FlatAttributes): Attributes {
  return flat.map(([name, type, value]) => ({ name, type, value }));
}
