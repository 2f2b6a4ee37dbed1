import type { AttributeColumn } from "@sightline/model/attributes.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import { withoutLogRows, withoutSpanRows } from "../processors/keep-rows.ts";
import { RowSet } from "../processors/row-set.ts";
import type { Pass, Stage } from "../processors/stage.ts";
import type { LogLimits, TraceLimits } from "./tenant-config.ts";
import { TimeWindows } from "./time-windows.ts";

type AttributeLimits = Pick<LogLimits, "max_attributes" | "max_attribute_name_length" | "max_attribute_value_length">;
type AttributeKey = keyof AttributeLimits;

/** Attributes, bodies and times of log records; undefined when nothing of that is limited. */
export function logRowLimits(limits: LogLimits): Stage<LogBatch> | undefined {
  const { max_body_length: maxBody, out_of_order_window_ms: past, future_window_ms: future } = limits;
  if (maxBody + past + future === 0 && !limitsAttributes(limits)) return undefined;
  return {
    name: "row_limits",
    apply(batch, _decision, pass) {
      const dropped = new RowSet(batch.length);
      dropByAttributes(batch.attributes, limits, "logs", dropped, pass);
      let longBodies = 0;
      const windows = new TimeWindows(limits, "logs", pass.receivedAtMs);
      for (let row = 0; row < batch.length; row++) {
        if (dropped.has(row)) continue;
        if (maxBody > 0 && (batch.bodies[row] as string).length > maxBody) longBodies++;
        else if (!windows.isOutside(Number(batch.timesNs[row]) / 1e6)) continue;
        dropped.add(row);
      }
      pass.reject(
        "body_limit",
        longBodies,
        `body longer than limits.logs.max_body_length (${maxBody}) allows: cut it or raise it`,
      );
      windows.report(pass);
      return withoutLogRows(batch, dropped);
    },
  };
}

/** Attributes and start times of spans; undefined when nothing of that is limited. */
export function spanRowLimits(limits: TraceLimits): Stage<SpanBatch> | undefined {
  const { out_of_order_window_ms: past, future_window_ms: future } = limits;
  if (past + future === 0 && !limitsAttributes(limits)) return undefined;
  return {
    name: "row_limits",
    apply(batch, _decision, pass) {
      const dropped = new RowSet(batch.length);
      dropByAttributes(batch.attributes, limits, "traces", dropped, pass);
      const windows = new TimeWindows(limits, "traces", pass.receivedAtMs);
      for (let row = 0; row < batch.length; row++) {
        if (!dropped.has(row) && windows.isOutside(Number(batch.startsNs[row]) / 1e6)) dropped.add(row);
      }
      windows.report(pass);
      return withoutSpanRows(batch, dropped);
    },
  };
}

function limitsAttributes(limits: AttributeLimits): boolean {
  return limits.max_attributes + limits.max_attribute_name_length + limits.max_attribute_value_length > 0;
}

function dropByAttributes(
  columns: readonly AttributeColumn[],
  limits: AttributeLimits,
  signal: "logs" | "traces",
  dropped: RowSet,
  pass: Pass,
): void {
  if (!limitsAttributes(limits)) return;
  const counts: Record<AttributeKey, number> = {
    max_attributes: 0,
    max_attribute_name_length: 0,
    max_attribute_value_length: 0,
  };
  const refuse = (row: number, key: AttributeKey) => {
    if (!dropped.has(row)) counts[key]++;
    dropped.add(row);
  };
  const { max_attributes: most, max_attribute_name_length: maxName, max_attribute_value_length: maxValue } = limits;
  const perRow = new Map<number, number>();
  for (const { name, values } of columns) {
    for (const [row, value] of values.entries()) {
      if (value === undefined) continue;
      if (maxName > 0 && name.length > maxName) refuse(row, "max_attribute_name_length");
      if (maxValue > 0 && value.length > maxValue) refuse(row, "max_attribute_value_length");
      if (most === 0) continue;
      const count = (perRow.get(row) ?? 0) + 1;
      perRow.set(row, count);
      if (count > most) refuse(row, "max_attributes");
    }
  }
  for (const [key, count] of Object.entries(counts) as [AttributeKey, number][]) {
    pass.reject(
      "attribute_limit",
      count,
      `${WHAT[key]} than limits.${signal}.${key} (${limits[key]}) allows: cut it or raise it`,
    );
  }
}

const WHAT: Readonly<Record<AttributeKey, string>> = {
  max_attributes: "more attributes",
  max_attribute_name_length: "an attribute's name is longer",
  max_attribute_value_length: "an attribute's value is longer",
};
