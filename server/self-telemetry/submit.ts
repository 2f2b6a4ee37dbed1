import type { Protocol } from "@sightline/proto/wire-request.ts";

/** Hands one of our own OTLP payloads to the ingest path as tenant `system`. Rejects when it could not be kept. */
export type SubmitOwn = (protocol: Protocol, body: Uint8Array) => Promise<void>;

/** Resource of everything this process says of itself. */
export type SelfResource = { readonly version: string; readonly instance: string };

export function resourceAttributes({ version, instance }: SelfResource): OtlpAttribute[] {
  return [
    { key: "service.name", value: { stringValue: "sightline" } },
    { key: "service.version", value: { stringValue: version } },
    { key: "service.instance.id", value: { stringValue: instance } },
  ];
}

export type OtlpAttribute = { readonly key: string; readonly value: { readonly stringValue: string } };
