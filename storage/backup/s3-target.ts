import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { NotFoundError } from "@sightline/model/errors.ts";
import type { BackupTarget } from "./backup-target.ts";

/**
 * A bucket of Amazon S3 or of what speaks its protocol. Credentials, region and endpoint come from where the AWS tools have
 * them: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL_S3, ~/.aws, the role of the machine.
 */
export class S3Target implements BackupTarget {
  readonly address: string;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #client: S3Client;

  /** `prefix`: "" or ends with a slash. */
  constructor(bucket: string, prefix: string, env: NodeJS.ProcessEnv = process.env) {
    this.address = `s3://${bucket}/${prefix}`;
    this.#bucket = bucket;
    this.#prefix = prefix;
    const endpoint = env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL;
    this.#client = new S3Client({
      // Others than Amazon seldom have a name in the DNS per bucket.
      ...(endpoint ? { endpoint, forcePathStyle: true, region: env.AWS_REGION ?? "us-east-1" } : {}),
      // Checksums beyond what everybody understands only where they must be.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    });
  }

  async *list(prefix: string): AsyncGenerator<string> {
    let token: string | undefined;
    do {
      const Prefix = this.#prefix + prefix;
      const page = await this.#client.send(
        new ListObjectsV2Command({ Bucket: this.#bucket, Prefix, ContinuationToken: token }),
      );
      for (const { Key } of page.Contents ?? []) if (Key) yield Key.slice(this.#prefix.length);
      token = page.NextContinuationToken;
    } while (token);
  }

  async read(name: string): Promise<Readable> {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand(this.#object(name)));
      return Body as Readable;
    } catch (cause) {
      if (cause instanceof NoSuchKey) throw new NotFoundError(`${this.address}${name} is not there`, { cause });
      throw cause;
    }
  }

  async writeFile(name: string, path: string, bytes: number): Promise<void> {
    const Body = createReadStream(path);
    await this.#client.send(new PutObjectCommand({ ...this.#object(name), Body, ContentLength: bytes }));
  }

  async writeText(name: string, text: string): Promise<void> {
    await this.#client.send(new PutObjectCommand({ ...this.#object(name), Body: text }));
  }

  async remove(name: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#object(name)));
  }

  #object(name: string) {
    return { Bucket: this.#bucket, Key: this.#prefix + name };
  }
}
