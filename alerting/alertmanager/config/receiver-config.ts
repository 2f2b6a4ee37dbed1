import { InvalidInputError } from "@sightline/model/errors.ts";
import type { PlaceOf } from "./parse-settings.ts";
import { quoted, type YamlReader, type YamlValue } from "./yaml-reader.ts";

/** One entry of `webhook_configs` or the like, as it is written. */
export type IntegrationConfig = {
  /** `webhook_configs` */
  readonly key: string;
  /** Its place among those of the same key. */
  readonly index: number;
  /** null for an entry that says nothing. */
  readonly settings: unknown;
  /** Where a path within it leads to, for messages. */
  readonly place: PlaceOf;
};

/** Whom a route leads to. */
export type ReceiverConfig = {
  readonly name: string;
  /** `name` is one of them. */
  readonly labels: ReadonlyMap<string, string>;
  readonly integrations: readonly IntegrationConfig[];
};

/** Throws `InvalidInputError` in Alertmanager's words. */
export function readReceiver(
  reader: YamlReader,
  integrationKeys: ReadonlySet<string>,
  value: YamlValue,
): ReceiverConfig {
  // As there: what is null has no name, and no one asks for it.
  if (value === undefined) return { name: "", labels: new Map([["name", ""]]), integrations: [] };
  const fields = reader.fields(value, "config.plain", new Set(["name", "labels", ...integrationKeys]));
  const name = reader.text(fields.get("name")) ?? "";
  if (name === "") throw new InvalidInputError("missing name in receiver");
  const labels = new Map(reader.textMap(fields.get("labels")));
  const labelled = labels.get("name");
  if (labelled !== undefined && labelled !== name) {
    throw new InvalidInputError(
      `receiver label "name" must match receiver name ${quoted(name)}, got ${quoted(labelled)}`,
    );
  }
  labels.set("name", name);
  const integrations: IntegrationConfig[] = [...integrationKeys].flatMap((key) =>
    reader.list(fields.get(key), key).map((item, index) => ({
      key,
      index,
      settings: item === undefined ? null : reader.plain(item),
      place: (path) => reader.place(item ?? fields.get(key), path),
    })),
  );
  return { name, labels, integrations };
}
