import { expect, test } from "vitest";
import { type Pressure, pressureAt } from "./pressure.ts";

test.each<[number, Pressure, Pressure]>([
  [0.5, "none", "none"],
  [0.6, "none", "flush"],
  [0.7, "none", "shrink"],
  [0.8, "none", "refuse-writes"],
  [1.2, "none", "refuse-all"],
  [0.74, "refuse-writes", "refuse-writes"],
  [0.72, "refuse-writes", "shrink"],
  [0.89, "refuse-all", "refuse-all"],
  [0.87, "refuse-all", "refuse-writes"],
  [0.58, "flush", "flush"],
  [0.55, "flush", "none"],
])("%d of the limit after %s is %s", (used, before, now) => expect(pressureAt(used, before)).toBe(now));
