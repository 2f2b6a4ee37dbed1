import { expect, test } from "vitest";
import { containsIp, type IpRange, parseIpRange } from "./ip-address.ts";

test.each([
  ["192.168.0.1", "a 192.168.0.1 b", true],
  ["192.168.0.1", "192.168.0.10", false],
  ["10.0.0.0/8", "ip=10.255.0.1:80", true],
  ["10.0.0.7/8", "10.1.1.1", true],
  ["10.0.0.1-10.0.0.5", "(10.0.0.5)", true],
  ["10.0.0.1-10.0.0.5", "10.0.0.6", false],
  ["2001:db8::/32", "peer 2001:db8:1::5 up", true],
  ["::1", "at ::1", true],
  ["::ffff:1.2.3.4", "1.2.3.4", false],
  ["0.0.0.0/0", "version 1.2.3", false],
  ["0.0.0.0/0", "999.1.1.1", false],
  ["0.0.0.0/0", "1.2.3.04", false],
  ["0.0.0.0/0", "1.2.3.4.5", false],
  ["0.0.0.0/0", "1..2.3", false],
  ["255.255.255.255", "0.0.0.0 255.255.255.255", true],
  ["1.2.3.4", "4 1.2.3.4", true],
  ["abcd::1", "xabcd::1x", true],
  ["::/0", "a:b :d 12345:1", false],
  ["::/0", "::", false],
  ["::1", `${":".repeat(100)} ::1`, true],
])("%s in %j: %s", (pattern, text, want) => expect(containsIp(text, parseIpRange(pattern) as IpRange)).toBe(want));

test.each(["x", "10.0.0", "10.0.0.0/33", "10.0.0.5-10.0.0.1", "1::2::3", "10.0.0.1-::1", ""])(
  "%j is no address",
  (text) => {
    expect(parseIpRange(text)).toBeUndefined();
  },
);
