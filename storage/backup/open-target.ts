import { InvalidInputError } from "@sightline/model/errors.ts";
import type { BackupTarget } from "./backup-target.ts";
import { DirectoryTarget } from "./directory-target.ts";

/** `s3://BUCKET/PREFIX`, or the path of a directory. Throws `InvalidInputError`. */
export async function openTarget(text: string): Promise<BackupTarget> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1];
  if (scheme === undefined && text !== "") return new DirectoryTarget(text);
  const [, bucket = "", prefix = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]+)(?:\/([\w./-]*))?$/i.exec(text) ?? [];
  if (bucket === "") {
    throw new InvalidInputError(
      `${JSON.stringify(text)} is no place for backups: give a directory or s3://BUCKET/PREFIX`,
    );
  }
  // Loaded when it is needed: it is as large as the rest of the program.
  const { S3Target } = await import("./s3-target.ts");
  return new S3Target(bucket, prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`);
}
