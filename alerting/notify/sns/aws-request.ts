import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import type { OutgoingRequest } from "../http/exchange.ts";
import type { HttpSender } from "../http/http-sender.ts";
import type { SigV4Config } from "./sns-config.ts";

export type AwsCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
};
type Provider = () => Promise<AwsCredentials>;

/** SHA-256 by Node, as signatures want it. */
class Sha256 {
  readonly #secret: unknown;
  #hash: Hash | Hmac;

  constructor(secret?: unknown) {
    this.#secret = secret;
    this.#hash = this.#start();
  }

  #start(): Hash | Hmac {
    return this.#secret ? createHmac("sha256", this.#secret as Buffer) : createHash("sha256");
  }

  update(data: unknown): void {
    this.#hash.update(data as Buffer);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = this.#start();
  }
}

/** A request to an AWS service with the query protocol, signed. */
export async function signedRequest(
  service: string,
  endpoint: string,
  region: string,
  parameters: Readonly<Record<string, string>>,
  credentials: AwsCredentials | Provider,
): Promise<OutgoingRequest> {
  const url = new URL(endpoint);
  const body = new URLSearchParams(parameters).toString();
  const { SignatureV4 } = await import("@smithy/signature-v4");
  const signer = new SignatureV4({ credentials, region, service, sha256: Sha256 as never });
  const request = await signer.sign({
    method: "POST",
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port === "" ? {} : { port: Number(url.port) }),
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { host: url.host, "content-type": "application/x-www-form-urlencoded" },
    body,
  });
  const { host: _, ...headers } = request.headers;
  return { url: url.href, headers, body };
}

/** Text of the first element of the name; the answers are flat enough for that. */
export function xmlText(xml: string, element: string): string | undefined {
  const text = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];
  return text?.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => ENTITIES[name] ?? "");
}
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Read when it is needed: it takes a third of a second of CPU time, and hardly any server uses SNS. */
function awsToolsProvider(profile: string | undefined): Provider {
  let provider: Promise<Provider> | undefined;
  return async () => {
    provider ??= import("@aws-sdk/credential-provider-node").then(
      ({ defaultProvider }) => defaultProvider(profile ? { profile } : {}) as Provider,
    );
    return (await provider)();
  };
}

/** Before they end. */
const EARLY_MS = 300_000;

/**
 * Who signs: the keys of the configuration, or what the AWS tools would find (environment, profile, role of the machine),
 * and with `role_arn` the role that these may take on.
 */
export class AwsIdentity {
  readonly #config: SigV4Config;
  readonly #base: Provider;
  #role: AwsCredentials | undefined;

  constructor(config: SigV4Config) {
    this.#config = config;
    const { access_key: accessKeyId, secret_key: secret, profile } = config;
    this.#base =
      accessKeyId && secret
        ? async () => ({ accessKeyId, secretAccessKey: secret.reveal() })
        : awsToolsProvider(profile);
  }

  /** Rejects when there are no credentials, or the role is refused. */
  async credentials(sender: HttpSender, region: string, signal: AbortSignal): Promise<AwsCredentials> {
    const { role_arn: roleArn, external_id: externalId, use_fips_sts_endpoint: isFips } = this.#config;
    if (!roleArn) return this.#base();
    const known = this.#role;
    if (known?.expiration && known.expiration.getTime() - EARLY_MS > Date.now()) return known;
    const endpoint = process.env.AWS_ENDPOINT_URL_STS ?? `https://sts${isFips ? "-fips" : ""}.${region}.amazonaws.com/`;
    const parameters = {
      Action: "AssumeRole",
      Version: "2011-06-15",
      RoleArn: roleArn,
      RoleSessionName: `sightline-${Date.now()}`,
      ...(externalId ? { ExternalId: externalId } : {}),
    };
    const request = await signedRequest("sts", endpoint, region, parameters, this.#base);
    const { status, body } = await sender.send(request, signal);
    const [accessKeyId, secretAccessKey, sessionToken, expiration] = [
      "AccessKeyId",
      "SecretAccessKey",
      "SessionToken",
      "Expiration",
    ].map((name) => xmlText(body, name));
    if (status !== 200 || !accessKeyId || !secretAccessKey || !sessionToken)
      throw new Error(`AssumeRole: status ${status}: ${xmlText(body, "Message") ?? ""}`);
    this.#role = { accessKeyId, secretAccessKey, sessionToken, expiration: new Date(expiration ?? 0) };
    return this.#role;
  }
}
