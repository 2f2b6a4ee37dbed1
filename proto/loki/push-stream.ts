import type { Attribute } from "@sightline/model/attributes.ts";
import { NO_SCOPE } from "@sightline/model/attributes.ts";
import { type Label, labelsFrom, labelValue } from "@sightline/model/labels.ts";
import type { LogStream } from "@sightline/model/log-batch.ts";

const SERVICE_NAME = "service_name";
const UNKNOWN_SERVICE = "unknown_service";
/** Where Loki looks for a service's name if there is no `service_name`: its `discover_service_name` (pkg/validation/limits.go). */
const SERVICE_NAME_FALLBACKS = [
  "service",
  "app",
  "application",
  "app_name",
  "name",
  "app_kubernetes_io_name",
  "container",
  "container_name",
  "k8s_container_name",
  "component",
  "workload",
  "job",
  "k8s_job_name",
];
/** Names that OpenTelemetry would write in another way, and that would come twice if they were attributes, too. */
const NOT_AN_ATTRIBUTE = /[^a-zA-Z0-9_]|__|^[0-9]|^_+$/;

/**
 * A pushed stream: its labels as they are, and `service_name` as Loki finds it. They are the resource's attributes, too,
 * under the same names, beside `service.name`, by which the other signals know a service.
 */
export function pushStream(given: readonly Label[]): LogStream {
  let labels = labelsFrom(given);
  let service = labelValue(labels, SERVICE_NAME);
  if (service === "") {
    const source = SERVICE_NAME_FALLBACKS.find((name) => labelValue(labels, name) !== "");
    service = source === undefined ? UNKNOWN_SERVICE : labelValue(labels, source);
    labels = labelsFrom([...labels, [SERVICE_NAME, service]]);
  }
  const resource: Attribute[] = [{ name: "service.name", type: "string", value: service }];
  for (const [name, value] of labels) {
    if (name !== SERVICE_NAME && !NOT_AN_ATTRIBUTE.test(name)) resource.push({ name, type: "string", value });
  }
  return { labels, resource, scope: NO_SCOPE };
}
