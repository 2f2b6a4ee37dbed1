import { matchesGlob } from "node:path";
import { InvalidInputError } from "@sightline/model/errors.ts";
import { type NotificationTemplateLimits, NotificationTemplates } from "../../templates/notification-templates.ts";
import type { AlertmanagerConfig } from "./alertmanager-config.ts";

/**
 * Where the files are that a configuration names: in a directory of the server (relative paths are seen from there), or only
 * those that came with it. What came over the API must not make the server read its own files.
 */
export type ConfigFiles = { readonly dir: string } | { readonly templates: ReadonlyMap<string, string> };

/** Their keys are the user's own. */
const FREE_KEYS: ReadonlySet<string> = new Set(["attributes", "details", "fields", "labels", "payload"]);
const FILE_KEY = /(?:_file|^files)$/;

/** Throws `NotificationTemplateError` or `InvalidInputError`. */
export function loadTemplates(
  patterns: readonly string[],
  files: ConfigFiles,
  limits: NotificationTemplateLimits,
): Promise<NotificationTemplates> {
  if ("dir" in files) return NotificationTemplates.load(patterns, files.dir, limits);
  const names = patterns.flatMap((pattern) => {
    if (/[/\\]/.test(pattern)) {
      throw new InvalidInputError(`${pattern}: templates are named as in template_files, without a path`);
    }
    return [...files.templates.keys()].filter((name) => name === pattern || matchesGlob(name, pattern)).sort();
  });
  const sources = names.map((name) => ({ name, text: files.templates.get(name) ?? "" }));
  return Promise.resolve(new NotificationTemplates(sources, limits));
}

/** Throws `InvalidInputError` that says which setting names a file of the server. */
export function assertNamesNoFiles({ global, receivers }: AlertmanagerConfig): void {
  refuseFiles(global.receivers, "global");
  for (const { name, integrations } of receivers) {
    for (const { key, index, settings } of integrations) refuseFiles(settings, `receiver ${name}: ${key}[${index}]`);
  }
}

function refuseFiles(value: unknown, place: string): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined || FREE_KEYS.has(key)) continue;
    if (FILE_KEY.test(key) && !Array.isArray(value)) {
      throw new InvalidInputError(
        `${place}.${key}: a configuration that is put by the API can't name files of the server`,
      );
    }
    refuseFiles(member, `${place}.${key}`);
  }
}
