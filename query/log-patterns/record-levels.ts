import type { Attributes } from "@sightline/model/attributes.ts";
import type { Label, Labels } from "@sightline/model/labels.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { LogLevels } from "@sightline/model/log-pattern-store.ts";
import { lokiLabelName } from "@sightline/model/loki-label-name.ts";
import { DETECTED_LEVEL, LEVEL_FIELDS, LevelDetector } from "../logql/detected-level.ts";

/** What senders call a level may be any text. */
const MAX_LEVEL_LENGTH = 32;
const MAX_REMEMBERED = 1_000;
const UNKNOWN = "unknown";
const SEVERITY_TEXT = "severity_text";
const FIELDS: ReadonlySet<string> = new Set([...LEVEL_FIELDS, DETECTED_LEVEL]);
const NOTHING: Labels = [];

/**
 * The levels of records as `detected_level` has them, for many records: what a record has beside its severity is looked at
 * only where some field of the batch may be a level.
 */
export function recordLevels(): LogLevels {
  const detector = new LevelDetector();
  const isLevelName = rememberedNames();
  /** By severity text and number. */
  const known = new Map<string, string>();
  return (batch) => {
    const columns = batch.attributes
      .filter(({ name }) => isLevelName(name))
      .map(({ name, values }) => ({ name: lokiLabelName(name), values }))
      .reverse();
    const ofStreams = batch.streams.map((stream) => fieldsOf(stream, isLevelName));
    const isPlain = columns.length === 0 && ofStreams.every((fields) => fields.length === 0);
    return (row) => {
      const text = batch.severityTexts[row] ?? "";
      if (isPlain && (text !== "" || batch.severities[row] !== 0)) {
        const key = text === "" ? `#${batch.severities[row]}` : text;
        const before = known.get(key);
        if (before !== undefined) return before;
        const level = bounded(detector.detect(batch, row, NOTHING, text === "" ? NOTHING : [[SEVERITY_TEXT, text]]));
        if (known.size >= MAX_REMEMBERED) known.clear();
        known.set(key, level);
        return level;
      }
      const own = ofStreams[batch.streamRefs[row] as number] as readonly Label[];
      return bounded(levelOf(detector, batch, row, columns, own));
    };
  };
}

type Column = { readonly name: string; readonly values: readonly (string | undefined)[] };

function levelOf(
  detector: LevelDetector,
  batch: LogBatch,
  row: number,
  columns: readonly Column[],
  own: readonly Label[],
): string {
  const { labels } = batch.streams[batch.streamRefs[row] as number] as LogStream;
  // Of equal names the first counts: as in structured metadata the record's own field, then the last attribute.
  const fields: Label[] = [];
  const text = batch.severityTexts[row] ?? "";
  if (text !== "") fields.push([SEVERITY_TEXT, text]);
  for (const { name, values } of columns) {
    const value = values[row];
    if (value === undefined || value === "") continue;
    if (name === DETECTED_LEVEL) return value;
    fields.push([name, value]);
  }
  for (const field of own) {
    if (field[0] === DETECTED_LEVEL) return field[1];
    fields.push(field);
  }
  return detector.detect(batch, row, labels, fields);
}

/** What all records of a stream have. */
function fieldsOf({ labels, resource, scope }: LogStream, isLevelName: (name: string) => boolean): readonly Label[] {
  const of = (attributes: Attributes) =>
    attributes
      .toReversed()
      .flatMap(({ name, value }): Label[] => (value !== "" && isLevelName(name) ? [[lokiLabelName(name), value]] : []));
  const ofLabels = labels.filter(([name]) => FIELDS.has(name));
  return [...ofLabels, ...of(scope.attributes), ...of(resource)];
}

/** Names come again and again. */
function rememberedNames(): (name: string) => boolean {
  const known = new Map<string, boolean>();
  return (name) => {
    let isLevel = known.get(name);
    if (isLevel === undefined) {
      isLevel = FIELDS.has(lokiLabelName(name));
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(name, isLevel);
    }
    return isLevel;
  };
}

function bounded(level: string): string {
  return level.length > MAX_LEVEL_LENGTH || level === "" ? UNKNOWN : level;
}
