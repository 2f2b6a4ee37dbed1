import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureVersion } from "node:tls";
import { InvalidInputError } from "@sightline/model/errors.ts";
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

/**
 * Whether it can be used, at the time at which the configuration is read. Throws `InvalidInputError` in the words of
 * prometheus/common.
 */
export async function checkTls(config: TlsConfig | undefined, secrets: ReceiverSecrets): Promise<void> {
  if (!config) return;
  let options: TlsOptions;
  try {
    options = await tlsOptions(config, secrets);
  } catch (cause) {
    throw new InvalidInputError(`unable to use tls_config: ${(cause as Error).message}`, { cause });
  }
  const { ca, cert, key } = options;
  const ofCa = config.ca_file ?? "inline";
  try {
    if (ca !== undefined) new X509Certificate(ca);
  } catch (cause) {
    throw new InvalidInputError(`unable to use specified CA cert ${ofCa}`, { cause });
  }
  try {
    if (cert !== undefined && key !== undefined) createSecureContext({ cert, key });
  } catch (cause) {
    const message = `unable to use specified client cert & key: ${(cause as Error).message}`;
    throw new InvalidInputError(message, { cause });
  }
}

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
