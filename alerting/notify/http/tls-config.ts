import { z } from "zod";
import { flag, optionalSecret, optionalText } from "../receiver-values.ts";

const VERSIONS = { TLS10: "TLSv1", TLS11: "TLSv1.1", TLS12: "TLSv1.2", TLS13: "TLSv1.3" } as const;

const version = z
  .string()
  .transform((name, context) => {
    if (Object.hasOwn(VERSIONS, name)) return VERSIONS[name as keyof typeof VERSIONS];
    context.addIssue({ code: "custom", message: `unknown TLS version: ${name}` });
    return z.NEVER;
  })
  .optional();

/** `tls_config` of clients (TLSConfig of prometheus/common/config), with its words for what is wrong. */
export const tlsConfig = z
  .strictObject({
    ca: optionalText,
    ca_file: optionalText,
    cert: optionalText,
    cert_file: optionalText,
    key: optionalSecret,
    key_file: optionalText,
    server_name: optionalText,
    insecure_skip_verify: flag(),
    min_version: version,
    max_version: version,
  })
  .superRefine((tls, context) => {
    const refuse = (message: string) => context.addIssue({ code: "custom", message });
    if (tls.ca && tls.ca_file) refuse("at most one of ca, ca_file & ca_ref must be configured");
    if (tls.cert && tls.cert_file) refuse("at most one of cert, cert_file & cert_ref must be configured");
    if (tls.key && tls.key_file) refuse("at most one of key and key_file must be configured");
    if (tls.min_version && tls.max_version && tls.max_version < tls.min_version)
      refuse("tls_config.max_version must be greater than or equal to tls_config.min_version if both are specified");
    const hasCert = Boolean(tls.cert ?? tls.cert_file);
    const hasKey = Boolean(tls.key ?? tls.key_file);
    if (hasCert && !hasKey)
      refuse("exactly one of key or key_file must be configured when a client certificate is configured");
    if (hasKey && !hasCert)
      refuse("exactly one of cert or cert_file must be configured when a client key is configured");
  });

export type TlsConfig = z.output<typeof tlsConfig>;
