import { expect, test } from "vitest";
import { lokiStreamLabels } from "./loki-stream.ts";

const attributes = (values: Record<string, string>) =>
  Object.entries(values).map(([name, value]) => ({ name, type: "string" as const, value }));

test.each<[string, Record<string, string>, Record<string, string>]>([
  ["nothing", {}, { service_name: "unknown_service" }],
  [
    "a service",
    { "service.name": "cart", "service.namespace": "shop" },
    { service_name: "cart", service_namespace: "shop" },
  ],
  ["an empty service name", { "service.name": "" }, { service_name: "unknown_service" }],
  ["only a container", { "container.name": "web" }, { container_name: "web", service_name: "web" }],
  [
    "a Kubernetes job's container",
    { "k8s.job.name": "nightly", "k8s.container.name": "main" },
    { k8s_container_name: "main", k8s_job_name: "nightly", service_name: "main" },
  ],
  [
    "attributes that are no index labels",
    { "service.name": "cart", "host.name": "n1", "telemetry.sdk.name": "otel" },
    { service_name: "cart" },
  ],
  [
    "where it runs",
    {
      "service.name": "cart",
      "service.instance.id": "i",
      "deployment.environment.name": "prod",
      "cloud.region": "eu",
      "cloud.availability_zone": "eu-1",
      "k8s.pod.name": "p",
    },
    {
      cloud_availability_zone: "eu-1",
      cloud_region: "eu",
      deployment_environment_name: "prod",
      k8s_pod_name: "p",
      service_instance_id: "i",
      service_name: "cart",
    },
  ],
])("labels of %s, sorted", (_name, resource, labels) => {
  expect(lokiStreamLabels(attributes(resource))).toEqual(Object.entries(labels));
});
