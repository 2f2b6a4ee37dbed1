import { createHash } from "node:crypto";
import type { Attribute, AttributeColumn, Attributes, AttributeType } from "@sightline/model/attributes.ts";
import { type Labels, labelsFrom, METRIC_NAME } from "@sightline/model/labels.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import { z } from "zod";
import { EditableColumns } from "./editable-columns.ts";
import { CompiledMatch, rowMatch } from "./row-match.ts";
import type { SeriesFunction } from "./series-mapper.ts";
import type { Stage } from "./stage.ts";
import { endsStep, type Steps } from "./steps.ts";

const key = z.string().min(1);
const value = z.union([z.string(), z.number(), z.boolean()]);
const written = { key, value: value.optional(), from: key.optional().describe("Takes the value of this attribute") };
const action = z.discriminatedUnion("action", [
  z.strictObject({ action: z.literal("set"), ...written }).describe("Whether it is there or not"),
  z.strictObject({ action: z.literal("insert"), ...written }).describe("Only where it is missing"),
  z.strictObject({ action: z.literal("update"), ...written }).describe("Only where it is there"),
  z.strictObject({ action: z.literal("delete"), key }),
  z.strictObject({ action: z.literal("hash"), key, salt: z.string().default("") }).describe("SHA-256, in hex"),
  z.strictObject({ action: z.literal("rename"), key, to: key }).describe("Overwrites one that has the new name"),
]);
type Action = z.output<typeof action>;

/** Edits attributes of records and spans (labels, for metrics), or those of their resources. */
export const attributesConfig = z
  .strictObject({
    kind: z.literal("attributes"),
    on: z.enum(["attributes", "resource"]).default("attributes"),
    actions: z.array(action).min(1).max(500).describe("Done one after the other"),
    match: rowMatch.optional().describe("Only rows that match; not with on: resource"),
  })
  .superRefine((config, context) => {
    if (config.on === "resource" && config.match) {
      context.addIssue({ code: "custom", path: ["match"], message: "match can't be used with on: resource" });
    }
    for (const [i, each] of config.actions.entries()) {
      if (
        (each.action === "set" || each.action === "insert" || each.action === "update") &&
        (each.from === undefined) === (each.value === undefined)
      ) {
        context.addIssue({ code: "custom", path: ["actions", i], message: "give either value or from" });
      }
    }
  });
type AttributesConfig = z.output<typeof attributesConfig>;

type Cell = { readonly type: AttributeType; readonly value: string };
/** One set of attributes, wherever it is kept. */
interface Cells {
  get(name: string): Cell | undefined;
  set(name: string, cell: Cell): void;
  delete(name: string): void;
}

export function attributesSeries(config: AttributesConfig): SeriesFunction {
  const match = config.match && new CompiledMatch(config.match);
  return {
    name: "attributes",
    map(labels) {
      if (config.on === "resource" || (match && !match.series(labels))) return labels;
      const byName = new Map<string, string>(labels as readonly (readonly [string, string])[]);
      const cells: Cells = {
        get: (name) => (byName.has(name) ? { type: "string", value: byName.get(name) as string } : undefined),
        set: (name, cell) => byName.set(name, cell.value),
        // A series without a name could not be stored.
        delete: (name) => name !== METRIC_NAME && byName.delete(name),
      };
      for (const each of config.actions) perform(each, cells);
      return labelsFrom(byName);
    },
  };
}

export function attributesLogs(config: AttributesConfig): Stage<LogBatch> {
  const match = config.match && new CompiledMatch(config.match);
  return {
    name: "attributes",
    *apply(batch) {
      if (config.on === "resource") return { ...batch, streams: batch.streams.map((each) => editStream(each, config)) };
      return { ...batch, attributes: yield* editColumns(batch, config, match?.logs(batch)) };
    },
  };
}

export function attributesSpans(config: AttributesConfig): Stage<SpanBatch> {
  const match = config.match && new CompiledMatch(config.match);
  return {
    name: "attributes",
    *apply(batch) {
      if (config.on === "resource") {
        const edit = (resource: Attributes) => editAttributes(resource, config.actions);
        return { ...batch, sources: batch.sources.map((each) => ({ ...each, resource: edit(each.resource) })) };
      }
      return { ...batch, attributes: yield* editColumns(batch, config, match?.spans(batch)) };
    },
  };
}

function* editColumns(
  batch: Pick<LogBatch, "length" | "attributes">,
  { actions }: AttributesConfig,
  test: ((row: number) => boolean) | undefined,
): Steps<AttributeColumn[]> {
  const columns = new EditableColumns(batch.attributes, batch.length);
  let row = 0;
  const cells: Cells = {
    get: (name) => columns.get(name, row),
    set: (name, cell) => columns.set(name, row, cell),
    delete: (name) => columns.delete(name, row),
  };
  for (; row < batch.length; row++) {
    if (!test || test(row)) for (const each of actions) perform(each, cells);
    if (endsStep(row)) yield;
  }
  return columns.build();
}

/** An index label that comes from an edited resource attribute follows it, or goes with it. */
function editStream(stream: LogStream, { actions }: AttributesConfig): LogStream {
  const resource = editAttributes(stream.resource, actions);
  const now = new Map(resource.map(({ name, value }) => [labelName(name), value]));
  const before = new Set(stream.resource.map(({ name }) => labelName(name)));
  const labels: Labels = labelsFrom(
    stream.labels.map(([name, value]) => [name, before.has(name) ? (now.get(name) ?? "") : value] as const),
  );
  return { ...stream, resource, labels };
}

/** As Loki names the label of a resource attribute. */
function labelName(attribute: string): string {
  return attribute.replace(/[^a-zA-Z0-9_]/g, "_");
}

export function editAttributes(attributes: Attributes, actions: readonly Action[]): Attributes {
  const byName = new Map<string, Attribute>(attributes.map((each) => [each.name, each]));
  const cells: Cells = {
    get: (name) => byName.get(name),
    set: (name, cell) => byName.set(name, { name, ...cell }),
    delete: (name) => byName.delete(name),
  };
  for (const each of actions) perform(each, cells);
  return [...byName.values()];
}

type Written = Extract<Action, { action: "set" | "insert" | "update" }>;

function perform(action: Action, cells: Cells): void {
  const current = cells.get(action.key);
  if (action.action === "delete") cells.delete(action.key);
  else if (action.action === "hash") {
    if (current) cells.set(action.key, { type: "string", value: sha256(action.salt + current.value) });
  } else if (action.action === "rename") {
    if (!current || action.to === action.key) return;
    cells.delete(action.key);
    cells.set(action.to, current);
  } else if (applies(action, current)) write(action, cells);
}

function applies({ action }: Written, current: Cell | undefined): boolean {
  return action === "set" || (action === "insert") === (current === undefined);
}

function write(action: Written, cells: Cells): void {
  const cell = action.from === undefined ? literalCell(action.value as z.output<typeof value>) : cells.get(action.from);
  if (cell) cells.set(action.key, { type: cell.type, value: cell.value });
}

function literalCell(literal: string | number | boolean): Cell {
  if (typeof literal === "string") return { type: "string", value: literal };
  if (typeof literal === "boolean") return { type: "bool", value: String(literal) };
  return { type: Number.isSafeInteger(literal) ? "int" : "double", value: String(literal) };
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
