import { SightlineError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";
import type { RuleCatalog, StoredRuleGroup } from "@sightline/model/rules.ts";
import { type ReadRuleFile, readRuleGroup } from "./parse-rule-file.ts";
import type { PlacedGroup, RuleScheduler } from "./rule-scheduler.ts";

export type CatalogRulesOptions = {
  readonly catalog: RuleCatalog;
  readonly read: ReadRuleFile;
  readonly scheduler: Pick<RuleScheduler, "update">;
  readonly watchIntervalMs: number;
  readonly logger: Logger;
};

/** Groups that were put there through the APIs, by this process or another one. */
export class CatalogRules implements Component {
  readonly name = "catalog-rules";
  readonly #options: CatalogRulesOptions;
  #revision: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: CatalogRulesOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.look();
    this.#timer = setInterval(() => void this.look(), this.#options.watchIntervalMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Evaluates what is there now. A catalog that does not answer is asked again later. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { catalog, scheduler, logger } = this.#options;
    try {
      const revision = await catalog.ruleRevision();
      if (revision === this.#revision) return;
      const groups: PlacedGroup[] = [];
      for (const group of await catalog.ruleGroups()) groups.push(...(await this.#placed(group)));
      await scheduler.update("catalog", groups);
      this.#revision = revision;
    } catch (error) {
      logger.error("rules of the catalog could not be read, they stay as they were", { error });
    }
  }

  /** They were checked when they were put there, perhaps by another release. */
  async #placed({ tenant, namespace, name, text, language }: StoredRuleGroup): Promise<PlacedGroup[]> {
    const { read, logger } = this.#options;
    try {
      return [{ tenant, file: namespace, config: await readRuleGroup(read, text, language) }];
    } catch (error) {
      if (!(error instanceof SightlineError)) throw error;
      logger.error("a group of the catalog is not valid", { tenant, namespace, group: name, error });
      return [];
    }
  }
}
