import { type Attributes, attributeValue } from "@sightline/model/attributes.ts";
import { type Label, type Labels, labelsFrom } from "@sightline/model/labels.ts";

/**
 * Resource attributes that become index labels of a log stream: Loki's default for
 * `distributor.otlp_config.default_resource_attributes_as_index_labels` (pkg/loghttp/push/otlplabels/config.go).
 */
export const INDEX_ATTRIBUTES: readonly string[] = [
  "service.name",
  "service.namespace",
  "service.instance.id",
  "deployment.environment",
  "deployment.environment.name",
  "cloud.region",
  "cloud.availability_zone",
  "k8s.cluster.name",
  "k8s.namespace.name",
  "k8s.pod.name",
  "k8s.container.name",
  "container.name",
  "k8s.replicaset.name",
  "k8s.deployment.name",
  "k8s.statefulset.name",
  "k8s.daemonset.name",
  "k8s.cronjob.name",
  "k8s.job.name",
];

/**
 * Where Loki looks for a service's name if there is no `service.name`: those entries of its `discover_service_name`
 * (pkg/validation/limits.go) that can be index labels of OTLP data.
 */
const SERVICE_NAME_FALLBACKS = ["container.name", "k8s.container.name", "k8s.job.name"];
const UNKNOWN_SERVICE = "unknown_service";

const INDEX_LABEL_BY_ATTRIBUTE = new Map(INDEX_ATTRIBUTES.map((name) => [name, name.replaceAll(".", "_")]));

/** Loki's index labels of a resource. There always is a `service_name`. */
export function lokiStreamLabels(resource: Attributes): Labels {
  const labels: Label[] = [];
  for (const { name, value } of resource) {
    const label = INDEX_LABEL_BY_ATTRIBUTE.get(name);
    if (label !== undefined) labels.push([label, value]);
  }
  if (attributeValue(resource, "service.name") === "") labels.push(["service_name", discoverServiceName(resource)]);
  return labelsFrom(labels);
}

function discoverServiceName(resource: Attributes): string {
  for (const name of SERVICE_NAME_FALLBACKS) {
    const value = attributeValue(resource, name);
    if (value !== "") return value;
  }
  return UNKNOWN_SERVICE;
}
