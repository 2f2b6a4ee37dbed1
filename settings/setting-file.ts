import { readFileSync } from "node:fs";
import { InvalidInputError } from "@sightline/model/errors.ts";

/** The text of a file that a setting names. Throws `InvalidInputError` that names the setting and the path, never the text. */
export function readSettingFile(path: string, setting: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new InvalidInputError(`${setting}: ${(cause as Error).message}`, { cause });
  }
}

/** The same without line breaks at its end; "" without a path. */
export function readSecret(path: string, setting: string): string {
  return path === "" ? "" : readSettingFile(path, setting).replace(/[\r\n]+$/, "");
}
