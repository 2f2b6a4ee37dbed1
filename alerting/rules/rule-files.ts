import { globSync, readFileSync } from "node:fs";
import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";
import { DEFAULT_TENANT, type TenantId, tenantId } from "@sightline/model/tenant.ts";
import { rulePacks } from "../packs/rule-packs.ts";
import type { RulesConfig } from "./config.ts";
import { type ReadRuleFile, RuleFileError } from "./parse-rule-file.ts";
import type { PlacedGroup, RuleScheduler } from "./rule-scheduler.ts";

export type RuleFilesOptions = {
  readonly config: Pick<RulesConfig, "files" | "tenant_files" | "packs" | "tenant_packs" | "watch_interval_ms">;
  readonly read: ReadRuleFile;
  readonly scheduler: Pick<RuleScheduler, "update">;
  readonly logger: Logger;
};

type Contents = ReadonlyMap<string, { readonly tenant: TenantId; readonly path: string; readonly text: string }>;

/**
 * Rules of the files and packs that are named in the configuration, read again when one changes; the file of a pack is
 * `pack/NAME`. Wrong files keep the server from starting; later the rules stay as they were until all files are right.
 */
export class RuleFiles implements Component {
  readonly name = "rule-files";
  readonly #options: RuleFilesOptions;
  #contents: Contents = new Map();
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();

  constructor(options: RuleFilesOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.reload();
    const { watch_interval_ms } = this.#options.config;
    if (watch_interval_ms === 0) return;
    this.#timer = setInterval(() => void this.#look(), watch_interval_ms);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reading.catch(() => {});
  }

  /** Throws {@link InvalidInputError} with what is wrong in which file. */
  reload(): Promise<void> {
    this.#reading = this.#reading.catch(() => {}).then(() => this.#apply(this.#read()));
    return this.#reading;
  }

  async #look(): Promise<void> {
    const { logger } = this.#options;
    try {
      const contents = this.#read();
      if (isEqual(contents, this.#contents)) return;
      // A file that is wrong is said to be so once, and looked at again when it changes.
      this.#contents = contents;
      await this.#apply(contents);
      logger.info("rule files were read again", { files: contents.size });
    } catch (error) {
      logger.error("rule files are wrong, the rules stay as they were", { error });
    }
  }

  async #apply(contents: Contents): Promise<void> {
    const { read, scheduler } = this.#options;
    const problems: string[] = [];
    const groups: PlacedGroup[] = [];
    for (const { tenant, path, text } of contents.values()) {
      try {
        for (const config of await read(text)) groups.push({ tenant, file: path, config });
      } catch (error) {
        if (!(error instanceof RuleFileError)) throw error;
        problems.push(...error.problems.map((problem) => `${path}: ${problem}`));
      }
    }
    if (problems.length > 0) throw new InvalidInputError(problems.join("\n"));
    this.#contents = contents;
    await scheduler.update("files", groups);
  }

  #read(): Contents {
    const { files, tenant_files, packs, tenant_packs } = this.#options.config;
    const contents = new Map<string, { tenant: TenantId; path: string; text: string }>();
    for (const [tenant, patterns] of byTenant(files, tenant_files)) {
      for (const path of patterns.flatMap(pathsOf)) {
        contents.set(`${tenant} ${path}`, { tenant, path, text: readText(path) });
      }
    }
    for (const [tenant, names] of byTenant(packs, tenant_packs)) {
      for (const { name, text } of rulePacks(names)) {
        const path = `pack/${name}`;
        contents.set(`${tenant} ${path}`, { tenant, path, text });
      }
    }
    return contents;
  }
}

function byTenant(
  ofDefault: readonly string[],
  ofOthers: Readonly<Record<string, readonly string[]>>,
): readonly (readonly [TenantId, readonly string[]])[] {
  const others = Object.entries(ofOthers).map(([tenant, names]) => [tenantId(tenant), names] as const);
  return [[DEFAULT_TENANT, ofDefault], ...others];
}

/** A name without a pattern must be there. */
function pathsOf(pattern: string): readonly string[] {
  return /[*?[{]/.test(pattern) ? globSync(pattern).sort() : [pattern];
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new InvalidInputError(`alerting.rules.files: ${(cause as Error).message}`, { cause });
  }
}

function isEqual(a: Contents, b: Contents): boolean {
  return a.size === b.size && [...a].every(([key, { text }]) => b.get(key)?.text === text);
}
