import { expect, test } from "vitest";
import { type Pressure, pressureAt } from "./pressure.ts";

test.each<[number, Pressure, Pressure]>([
  [0.5, "none", "none"],
  [0.52, "none", "flush"],
  [0.62, "none", "shrink"],
  [0.7, "none", "refuse-writes"],
  [1.2, "none", "refuse-all"],
  [0.67, "refuse-writes", "refuse-writes"],
  [0.65, "refuse-writes", "shrink"],
  [0.85, "refuse-all", "refuse-all"],
  [0.83, "refuse-all", "refuse-writes"],
  [0.49, "flush", "flush"],
  [0.47, "flush", "none"],
])("%d of the limit after %s is %s", (used, before, now) => expect(pressureAt(used, before)).toBe(now));
