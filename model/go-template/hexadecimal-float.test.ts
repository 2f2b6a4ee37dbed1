import { expect, test } from "vitest";
import { hexadecimalFloat } from "./hexadecimal-float.ts";

/** As Go's fmt prints them with `%x`, `%.0x`, `%.2x` and `%.14x`. */
test.each<[number, string, string, string, string]>([
  [0, "0x0p+00", "0x0p+00", "0x0.00p+00", "0x0.00000000000000p+00"],
  [1, "0x1p+00", "0x1p+00", "0x1.00p+00", "0x1.00000000000000p+00"],
  [1.5, "0x1.8p+00", "0x1p+01", "0x1.80p+00", "0x1.80000000000000p+00"],
  [3, "0x1.8p+01", "0x1p+02", "0x1.80p+01", "0x1.80000000000000p+01"],
  [2.25, "0x1.2p+01", "0x1p+01", "0x1.20p+01", "0x1.20000000000000p+01"],
  [0.1, "0x1.999999999999ap-04", "0x1p-03", "0x1.9ap-04", "0x1.999999999999a0p-04"],
  [1e300, "0x1.7e43c8800759cp+996", "0x1p+996", "0x1.7ep+996", "0x1.7e43c8800759c0p+996"],
  [5e-324, "0x1p-1074", "0x1p-1074", "0x1.00p-1074", "0x1.00000000000000p-1074"],
  [1e-310, "0x1.2688b70e62bp-1030", "0x1p-1030", "0x1.27p-1030", "0x1.2688b70e62b000p-1030"],
  [1.7976931348623157e308, "0x1.fffffffffffffp+1023", "0x1p+1024", "0x1.00p+1024", "0x1.fffffffffffff0p+1023"],
  [255, "0x1.fep+07", "0x1p+08", "0x1.fep+07", "0x1.fe000000000000p+07"],
  [1.999999, "0x1.ffffef39085f5p+00", "0x1p+01", "0x1.00p+01", "0x1.ffffef39085f50p+00"],
])("%d", (value, all, none, two, many) => {
  expect(hexadecimalFloat(value, undefined)).toBe(all);
  expect(hexadecimalFloat(value, 0)).toBe(none);
  expect(hexadecimalFloat(value, 2)).toBe(two);
  expect(hexadecimalFloat(value, 14)).toBe(many);
});
