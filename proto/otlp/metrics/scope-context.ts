import type { Attributes } from "@sightline/model/attributes.ts";
import { Fault, invalid } from "../../metrics/rejection-log.ts";
import { attributeLabels, type LabelMap } from "./label-builder.ts";
import type { ResourceContext } from "./resource-context.ts";
import { escapes, type OtlpMetricsOptions } from "./translation.ts";

/** What an instrumentation scope gives to the series of its metrics. */
export type ScopeContext = {
  readonly id: number;
  readonly resource: ResourceContext;
  readonly fault: Fault | undefined;
  /** `otel_scope_name` and the like: they win over attributes of the points. */
  readonly labels: LabelMap;
};

export type WireScope = {
  /** Undefined where the text is not valid UTF-8. */
  readonly name: string | undefined;
  readonly version: string | undefined;
  readonly schemaUrl: string | undefined;
  readonly attributes: Attributes | Fault;
};

/** A scope without a name has no labels, as in Prometheus. */
export function scopeContext(
  id: number,
  resource: ResourceContext,
  scope: WireScope,
  options: OtlpMetricsOptions,
): ScopeContext {
  if (resource.fault) return { id, resource, fault: resource.fault, labels: new Map() };
  const labels = options.promoteScopeMetadata && scope.name !== "" ? scopeLabels(scope, options) : new Map();
  return labels instanceof Fault
    ? { id, resource, fault: labels, labels: new Map() }
    : { id, resource, fault: undefined, labels };
}

function scopeLabels(scope: WireScope, options: OtlpMetricsOptions): LabelMap | Fault {
  const { name, version, schemaUrl, attributes } = scope;
  if (name === undefined || version === undefined || schemaUrl === undefined) {
    return invalid("utf8-scope", "a name, version or schema_url of an instrumentation scope is not valid UTF-8");
  }
  if (attributes instanceof Fault) return attributes;
  const prefixed = attributes.map((attribute) => ({ ...attribute, name: `otel_scope_${attribute.name}` }));
  const labels = attributeLabels(prefixed, escapes(options.translationStrategy), []);
  if (labels instanceof Fault) return labels;
  labels.set("otel_scope_name", name);
  labels.set("otel_scope_version", version);
  labels.set("otel_scope_schema_url", schemaUrl);
  return labels;
}
