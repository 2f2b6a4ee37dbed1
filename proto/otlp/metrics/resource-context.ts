import { type Attributes, attributeValue } from "@sightline/model/attributes.ts";
import type { Labels } from "@sightline/model/labels.ts";
import { Fault } from "../../metrics/rejection-log.ts";
import type { SeriesInterner } from "../../metrics/series-interner.ts";
import { attributeLabels, type LabelMap, toLabels } from "./label-builder.ts";
import { escapes, type OtlpMetricsOptions } from "./translation.ts";

export const TARGET_INFO = "target_info";
const IDENTIFYING = ["service.namespace", "service.name", "service.instance.id"];
const NONE: readonly string[] = [];

/** What a resource gives to the series of its metrics. */
export type ResourceContext = {
  /** Tells the resources of a decoder apart. */
  readonly id: number;
  /** Why all metrics of the resource are refused. */
  readonly fault: Fault | undefined;
  /** `job` and `instance`: they win over attributes of the same name. */
  readonly identity: LabelMap;
  /** Attributes that were asked to be labels: they give way to attributes of the points. */
  readonly promoted: LabelMap;
  /** Undefined when the resource says nothing beyond `job` and `instance`, or lacks both. */
  readonly targetInfo: Labels | undefined;
};

export function resourceContext(
  id: number,
  attributes: Attributes | Fault,
  options: OtlpMetricsOptions,
  interner: SeriesInterner,
): ResourceContext {
  if (attributes instanceof Fault) return faulty(id, attributes);
  const identity = identityOf(attributes);
  const escaping = escapes(options.translationStrategy);
  const promoted = attributeLabels(attributes.filter(isPromoted(options)), escaping, NONE);
  if (promoted instanceof Fault) return faulty(id, promoted);
  const info = attributeLabels(attributes, escaping, options.keepIdentifyingResourceAttributes ? NONE : IDENTIFYING);
  if (info instanceof Fault) return faulty(id, info);
  const saysMore = attributes.some(({ name }) => !IDENTIFYING.includes(name));
  for (const [name, value] of identity) info.set(name, value);
  const targetInfo = saysMore && identity.size > 0 ? toLabels(info, TARGET_INFO, interner) : undefined;
  return { id, fault: undefined, identity, promoted, targetInfo };
}

function identityOf(attributes: Attributes): LabelMap {
  const identity: LabelMap = new Map();
  const name = attributeValue(attributes, "service.name");
  const namespace = attributeValue(attributes, "service.namespace");
  const instance = attributeValue(attributes, "service.instance.id");
  if (name !== "") identity.set("job", namespace === "" ? name : `${namespace}/${name}`);
  if (instance !== "") identity.set("instance", instance);
  return identity;
}

function isPromoted(options: OtlpMetricsOptions): (attribute: { readonly name: string }) => boolean {
  return options.promoteAllResourceAttributes
    ? ({ name }) => !options.ignoreResourceAttributes.includes(name)
    : ({ name }) => options.promoteResourceAttributes.includes(name);
}

function faulty(id: number, fault: Fault): ResourceContext {
  return { id, fault, identity: new Map(), promoted: new Map(), targetInfo: undefined };
}
