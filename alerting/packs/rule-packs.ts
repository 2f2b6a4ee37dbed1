import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { InvalidInputError } from "@sightline/model/errors.ts";

/** A rule file that comes with Sightline: `NAME.rules.yaml` of this folder. */
export type RulePack = {
  readonly name: string;
  /** One line, as the file's first one has it. */
  readonly about: string;
  /** The file, in the format of Prometheus. */
  readonly text: string;
};

const DIRECTORY = fileURLToPath(new URL("./", import.meta.url));
const SUFFIX = ".rules.yaml";

/** What stands for every pack. */
export const ALL_PACKS = "all";

/** Names of the packs there are, in order. */
export function rulePackNames(): readonly string[] {
  const files = readdirSync(DIRECTORY).filter((file) => file.endsWith(SUFFIX));
  return files.map((file) => file.slice(0, -SUFFIX.length)).sort();
}

/** Of the unit tests of a pack, too, when `suffix` is theirs. */
export function rulePackPath(name: string, suffix = SUFFIX): string {
  return `${DIRECTORY}${name}${suffix}`;
}

/** The packs of these names, each once; `all` is every one. Throws {@link InvalidInputError} that lists those there are. */
export function rulePacks(names: readonly string[]): readonly RulePack[] {
  const known = rulePackNames();
  const unknown = names.find((name) => name !== ALL_PACKS && !known.includes(name));
  if (unknown !== undefined) {
    throw new InvalidInputError(
      `there is no rule pack ${JSON.stringify(unknown)}; there are: ${[ALL_PACKS, ...known].join(", ")}`,
    );
  }
  return known.filter((name) => names.includes(ALL_PACKS) || names.includes(name)).map(readPack);
}

function readPack(name: string): RulePack {
  const text = readFileSync(rulePackPath(name), "utf8");
  const about = /^# (.*)/.exec(text)?.[1] ?? "";
  return { name, about, text };
}
