import { InvalidInputError } from "@sightline/model/errors.ts";
import { stringify } from "yaml";
import { YamlReader } from "../config/yaml-reader.ts";
import { regexWeight } from "./regex-weight.ts";

/** A configuration of a tenant, as Mimir's API has it. */
export type PostedConfig = {
  /** Of `alertmanager.yml`. */
  readonly config: string;
  /** By name, without a path. */
  readonly templates: ReadonlyMap<string, string>;
};
export type PostedConfigLimits = {
  readonly max_config_bytes: number;
  readonly max_templates: number;
  readonly max_template_bytes: number;
  readonly max_regex_weight: number;
};

const FIELDS: ReadonlySet<string> = new Set(["template_files", "alertmanager_config"]);
const MAX_NAME_LENGTH = 255;
const SETTINGS = "alerting.alertmanager.config_api";

/**
 * Reads a body `{template_files: {NAME: TEXT}, alertmanager_config: TEXT}`, in YAML. Throws `InvalidInputError`. Whether the
 * configuration itself is right is not looked at.
 */
export function readPostedConfig(body: string, limits: PostedConfigLimits): PostedConfig {
  const reader = new YamlReader(body);
  const fields = reader.fields(reader.root, "alertmanager.UserConfig", FIELDS);
  const config = reader.text(fields.get("alertmanager_config")) ?? "";
  const templates = reader.textMap(fields.get("template_files"));
  reader.assertRead();
  if (config.trim() === "") {
    throw new InvalidInputError("alertmanager_config is empty: to take a configuration away, DELETE it");
  }
  assertBytes("alertmanager_config", config, "max_config_bytes", limits.max_config_bytes);
  const parsed = new YamlReader(config);
  const weight = regexWeight(parsed.plain(parsed.root));
  if (weight > limits.max_regex_weight) {
    throw new InvalidInputError(
      `its regular expressions have ${weight} characters, with repetitions written out and 20 for each, ` +
        `${SETTINGS}.max_regex_weight is ${limits.max_regex_weight}`,
    );
  }
  if (templates.size > limits.max_templates) {
    throw new InvalidInputError(
      `there are ${templates.size} templates, ${SETTINGS}.max_templates is ${limits.max_templates}`,
    );
  }
  for (const [name, text] of templates) {
    if (name === "" || name.length > MAX_NAME_LENGTH || /[/\\\0]|^\.\.?$/.test(name)) {
      throw new InvalidInputError(
        `template_files: ${JSON.stringify(name.slice(0, 50))} is no name of a file without a path`,
      );
    }
    assertBytes(`template_files: ${name}`, text, "max_template_bytes", limits.max_template_bytes);
  }
  return { config, templates };
}

/** As it is kept, and given back. */
export function writePostedConfig({ config, templates }: PostedConfig): string {
  return stringify({ template_files: Object.fromEntries(templates), alertmanager_config: config }, { lineWidth: 0 });
}

function assertBytes(what: string, text: string, setting: string, most: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > most) throw new InvalidInputError(`${what} has ${bytes} bytes, ${SETTINGS}.${setting} is ${most}`);
}
