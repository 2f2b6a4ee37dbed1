import { expect, test } from "vitest";
import { type Pressure, pressureAt } from "./pressure.ts";

test.each<[number, Pressure, Pressure]>([
  [0.5, "none", "none"],
  [0.68, "none", "flush"],
  [0.8, "none", "shrink"],
  [0.9, "none", "refuse-writes"],
  [1.2, "none", "refuse-all"],
  [0.82, "refuse-writes", "refuse-writes"],
  [0.8, "refuse-writes", "shrink"],
  [0.92, "refuse-all", "refuse-all"],
  [0.9, "refuse-all", "refuse-writes"],
  [0.66, "flush", "flush"],
  [0.63, "flush", "none"],
])("%d of the limit after %s is %s", (used, before, now) => expect(pressureAt(used, before)).toBe(now));
