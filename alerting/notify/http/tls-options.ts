import type { SecureVersion } from "node:tls";
import type { ReceiverSecrets } from "../receiver-secrets.ts";
import type { TlsConfig } from "./tls-config.ts";

/** What `tls.connect` is told. */
export type TlsOptions = {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
};

/** Reads the files that the configuration names. Throws `UnreadableFileError`. */
export async function tlsOptions(config: TlsConfig | undefined, secrets: ReceiverSecrets): Promise<TlsOptions> {
  if (!config) return {};
  const pem = async (text: string | undefined, file: string | undefined) =>
    text ?? (file === undefined ? undefined : await secrets.readFile(file));
  const ca = await pem(config.ca, config.ca_file);
  const cert = await pem(config.cert, config.cert_file);
  const key = await pem(config.key?.reveal(), config.key_file);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(config.server_name === undefined ? {} : { servername: config.server_name }),
    ...(config.insecure_skip_verify ? { rejectUnauthorized: false } : {}),
    ...(config.min_version === undefined ? {} : { minVersion: config.min_version }),
    ...(config.max_version === undefined ? {} : { maxVersion: config.max_version }),
  };
}
