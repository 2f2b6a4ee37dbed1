import { expect, test } from "vitest";
import { unescapeLabelName } from "./label-name-escaping.ts";

test.each([
  ["job", "job"],
  ["U__service_2e_name", "service.name"],
  ["U__a__b", "a_b"],
  ["U__caf_e9_", "café"],
  ["U___1f600_", "😀"],
  ["U__", ""],
  ["U__a_2e", "U__a_2e"],
  ["U__a_zz_", "U__a_zz_"],
  ["U__a_110000_", "U__a_110000_"],
  ["U__a_d800_", "U__a_d800_"],
])("%s is %s", (escaped, name) => expect(unescapeLabelName(escaped)).toBe(name));
