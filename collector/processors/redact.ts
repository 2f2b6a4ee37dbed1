import type { AttributeColumn, Attributes } from "@sightline/model/attributes.ts";
import { labelsFrom, METRIC_NAME } from "@sightline/model/labels.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import type { SpanBatch, SpanEvent, SpanLink } from "@sightline/model/span-batch.ts";
import { z } from "zod";
import { sha256 } from "./attributes.ts";
import { PERSONAL_DATA, type PersonalData } from "./personal-data.ts";
import { regexText } from "./regex-text.ts";
import type { SeriesFunction } from "./series-mapper.ts";
import type { ProcessorContext, Stage } from "./stage.ts";
import { endsStep, mapInSteps, type Steps } from "./steps.ts";

const how = z.enum(["drop", "mask", "hash", "encrypt"]).default("mask");
const MASK = "[REDACTED]";
const HASH_DIGITS = 16;

/**
 * Takes personal data out of bodies, attributes (also of events, links and resources), names of spans and values of
 * labels. `fields` act on whole values; `patterns` on what they find within a text. drop removes, mask writes
 * [REDACTED], hash writes the first 16 hex digits of SHA-256 over salt and text, so that equal data stay recognisable;
 * encrypt writes a sealed text (model/sealed-text.ts), which only who has the scope `reveal` may read.
 */
export const redactConfig = z
  .strictObject({
    kind: z.literal("redact"),
    patterns: z
      .array(
        z.union([
          z.strictObject({
            find: z.enum(Object.keys(PERSONAL_DATA) as [PersonalData, ...PersonalData[]]),
            action: how,
          }),
          z.strictObject({ regex: regexText, action: how }),
        ]),
      )
      .max(100)
      .default([]),
    fields: z
      .array(z.strictObject({ name: regexText.describe("RE2 of the whole name"), action: how }))
      .max(100)
      .default([]),
    salt: z.string().default("").describe("Makes hashes differ from those of others; keep it secret"),
  })
  .refine(({ patterns, fields }) => patterns.length + fields.length > 0, { message: "give patterns or fields" });
type RedactConfig = z.output<typeof redactConfig>;

export function redactSeries(config: RedactConfig, context: ProcessorContext): SeriesFunction {
  const redactor = new Redactor(config, context);
  return {
    name: "redact",
    map(labels) {
      const redacted = labels.map(([name, value]) =>
        name === METRIC_NAME ? ([name, value] as const) : ([name, redactor.field(name, value) ?? ""] as const),
      );
      return redacted.every(([, value], i) => value === labels[i]?.[1]) ? labels : labelsFrom(redacted);
    },
  };
}

export function redactLogs(config: RedactConfig, context: ProcessorContext): Stage<LogBatch> {
  const redactor = new Redactor(config, context);
  return {
    name: "redact",
    *apply(batch) {
      const stream = (each: LogStream): LogStream => ({
        ...each,
        resource: redactor.attributes(each.resource),
        labels: labelsFrom(each.labels.map(([name, value]) => [name, redactor.field(name, value) ?? ""] as const)),
      });
      return {
        ...batch,
        bodies: yield* mapInSteps(batch.bodies, (body) => redactor.text(body)),
        attributes: yield* redactor.columns(batch.attributes),
        streams: yield* mapInSteps(batch.streams, stream),
      };
    },
  };
}

export function redactSpans(config: RedactConfig, context: ProcessorContext): Stage<SpanBatch> {
  const redactor = new Redactor(config, context);
  const event = (each: SpanEvent): SpanEvent => ({ ...each, attributes: redactor.attributes(each.attributes) });
  const link = (each: SpanLink): SpanLink => ({ ...each, attributes: redactor.attributes(each.attributes) });
  return {
    name: "redact",
    *apply(batch) {
      const text = (each: string) => redactor.text(each);
      return {
        ...batch,
        names: yield* mapInSteps(batch.names, text),
        statusMessages: yield* mapInSteps(batch.statusMessages, text),
        attributes: yield* redactor.columns(batch.attributes),
        sources: yield* mapInSteps(batch.sources, (each) => ({
          ...each,
          resource: redactor.attributes(each.resource),
        })),
        events: yield* mapInSteps(batch.events, (events) => events?.map(event)),
        links: yield* mapInSteps(batch.links, (links) => links?.map(link)),
      };
    },
  };
}

type Change = (text: string) => string;

class Redactor {
  readonly #patterns: readonly Change[];
  readonly #fields: readonly { readonly test: (name: string) => boolean; readonly change: Change }[];
  /** What happens to a field, by its name: names are few. */
  readonly #byName = new Map<string, Change | undefined>();

  constructor({ patterns, fields, salt }: RedactConfig, { tenant, sealer }: ProcessorContext) {
    const changes: Readonly<Record<z.output<typeof how>, Change>> = {
      drop: () => "",
      mask: () => MASK,
      hash: (text) => sha256(salt + text).slice(0, HASH_DIGITS),
      // Without a key it is as secret as it was meant to be: nobody can read it.
      encrypt: (text) => sealer?.seal(tenant, text) ?? MASK,
    };
    this.#patterns = patterns.map((pattern) => {
      const change = changes[pattern.action];
      if ("find" in pattern) return (text) => PERSONAL_DATA[pattern.find](text, change);
      const regex = compileRegex(pattern.regex);
      return (text) => regex.replaceEach(text, change);
    });
    this.#fields = fields.map(({ name, action }) => {
      const regex = compileRegex(name);
      return { test: (text) => regex.matchesWhole(text), change: changes[action] };
    });
  }

  text(text: string): string {
    let redacted = text;
    if (text !== "") for (const change of this.#patterns) redacted = change(redacted);
    return redacted;
  }

  /** undefined when nothing is left of it. */
  field(name: string, value: string): string | undefined {
    const change = this.#fieldChange(name);
    const redacted = change ? change(value) : this.text(value);
    return redacted === "" && value !== "" ? undefined : redacted;
  }

  attributes(attributes: Attributes): Attributes {
    return attributes.flatMap((attribute) => {
      const value = this.field(attribute.name, attribute.value);
      if (value === attribute.value) return [attribute];
      return value === undefined ? [] : [{ name: attribute.name, type: "string" as const, value }];
    });
  }

  /** Redacted values are strings, whatever they were before. */
  *columns(columns: readonly AttributeColumn[]): Steps<AttributeColumn[]> {
    const redacted: AttributeColumn[] = [];
    for (const column of columns) redacted.push(...(yield* this.#column(column)));
    return redacted;
  }

  *#column(column: AttributeColumn): Steps<AttributeColumn[]> {
    const { name, type, values } = column;
    let changed: (string | undefined)[] | undefined;
    let rest: readonly (string | undefined)[] = values;
    for (const [row, value] of values.entries()) {
      if (endsStep(row)) yield;
      if (value === undefined) continue;
      const redacted = this.field(name, value);
      if (redacted === value) continue;
      if (!changed) {
        changed = new Array(values.length).fill(undefined);
        rest = [...values];
      }
      changed[row] = redacted;
      (rest as (string | undefined)[])[row] = undefined;
    }
    if (!changed) return [column];
    if (type === "string") return [{ name, type, values: rest.map((value, row) => value ?? changed?.[row]) }];
    const columns: AttributeColumn[] = [
      { name, type, values: rest },
      { name, type: "string", values: changed },
    ];
    return columns.filter((each) => each.values.some((value) => value !== undefined));
  }

  #fieldChange(name: string): Change | undefined {
    if (this.#byName.has(name)) return this.#byName.get(name);
    if (this.#byName.size >= MAX_NAMES) this.#byName.clear();
    const change = this.#fields.find(({ test }) => test(name))?.change;
    this.#byName.set(name, change);
    return change;
  }
}

const MAX_NAMES = 10_000;
