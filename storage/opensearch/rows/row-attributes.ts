import type { Attributes, AttributeType } from "@sightline/model/attributes.ts";
import {
  attributesOfTokens,
  attributeToken,
  type FlatAttributes,
  isReadableToken,
  type TypesByPlace,
  unflatten,
} from "./attribute-text.ts";
import type { Origin } from "./origin-fields.ts";
import { splitTokens, withToken } from "./tokens.ts";

/** How a row's own attributes are written in a document: by what is there for searches, and beside it what that does not say. */
export type RowAttributes = {
  /** Tokens: those of its origin, its own, and last those that say an attribute only in part. A list in documents of earlier versions. */
  readonly fields?: string | readonly string[] | undefined;
  /** Of its own tokens; there when the row has attributes. */
  readonly own_types?: TypesByPlace | undefined;
  /** The attributes that their tokens say only in part; in documents of earlier versions, those that are not in `context`. */
  readonly more?: FlatAttributes | undefined;
  /** Earlier versions read attributes from here, and types of those that are no strings from `types`. */
  readonly context?: Readonly<Record<string, string>>;
  readonly types?: Readonly<Record<string, AttributeType>>;
};

/** `originTokens`: joined. */
export function rowAttributes(originTokens: string, attributes: Attributes): RowAttributes {
  if (attributes.length === 0) return { fields: originTokens || undefined };
  let fields = originTokens;
  let inPart = "";
  let place = 0;
  const types: [place: number, type: AttributeType][] = [];
  const more: string[] = [];
  for (const { name, type, value } of attributes) {
    const token = attributeToken(name, value);
    if (isReadableToken(name, value)) {
      fields = withToken(fields, token);
      if (type !== "string") types.push([place, type]);
      place++;
    } else {
      inPart = withToken(inPart, token);
      more.push(name, type, value);
    }
  }
  if (inPart === "") return { fields, own_types: types };
  return { fields: withToken(fields, inPart), own_types: types, more };
}

/** `origin`: of the same document. */
export function attributesOfRow(document: RowAttributes, origin: Origin): Attributes {
  const { fields, own_types, more = [] } = document;
  const inPart = unflatten(more);
  if (!own_types) return [...earlyAttributes(document), ...inPart];
  const tokens = splitTokens(fields);
  const first = origin.resource.length + origin.scope.attributes.length;
  return [...attributesOfTokens(tokens.slice(first, tokens.length - inPart.length), own_types), ...inPart];
}

function earlyAttributes({ context = {}, types = {} }: RowAttributes): Attributes {
  return Object.entries(context).map(([name, value]) => {
    return { name, type: (Object.hasOwn(types, name) ? types[name] : undefined) ?? "string", value };
  });
}

/** Names that mean the same to OpenSearch as they do here: parts with a dot between them. */
const PLAIN_NAME = /^[^\s.\p{C}]+(\.[^\s.\p{C}]+)*$/u;
const MAX_NAME_LENGTH = 500;
/** OpenSearch refuses longer terms than 32,766 bytes. */
const MAX_VALUE_LENGTH = 8_000;

/** Values under the attributes' names, as other programs want them; what OpenSearch would refuse is left out. Undefined when nothing is left. */
export function searchContext(attributes: Attributes): Readonly<Record<string, string>> | undefined {
  const plain = attributes.filter(({ name, value }) => {
    if (name.length > MAX_NAME_LENGTH || value.length > MAX_VALUE_LENGTH) return false;
    return name !== "__proto__" && PLAIN_NAME.test(name);
  });
  return plain.length === 0 ? undefined : Object.fromEntries(plain.map(({ name, value }) => [name, value]));
}
