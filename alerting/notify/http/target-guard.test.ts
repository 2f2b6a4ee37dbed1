import type { LookupAddress } from "node:dns";
import { describe, expect, test } from "vitest";
import { RefusedTargetError, TargetGuard } from "./target-guard.ts";

const strict = (allowedHosts: readonly string[] = [], found: readonly string[] = []) =>
  new TargetGuard({ allowPrivateTargets: false, allowedHosts }, (_host, _options, done) =>
    done(
      null,
      found.map((address): LookupAddress => ({ address, family: address.includes(":") ? 6 : 4 })),
    ),
  );

test.each([
  "127.0.0.1",
  "127.8.9.1",
  "10.1.2.3",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "100.64.0.1",
  "198.18.0.1",
  "0.0.0.0",
  "169.254.169.254",
  "100.100.100.200",
  "224.0.0.1",
  "255.255.255.255",
  "[::1]",
  "[::]",
  "[fe80::1]",
  "[fd00:ec2::254]",
  "[fc00::1]",
  "[ff02::1]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[::127.0.0.1]",
  "[64:ff9b::7f00:1]",
  "[64:ff9b::a9fe:a9fe]",
  "[2002:7f00:1::]",
  "[2002:a9fe:a9fe::1]",
])("%s is refused", (host) => expect(() => strict().checkHost(host)).toThrow(RefusedTargetError));

test.each(["8.8.8.8", "172.32.0.1", "100.128.0.1", "[2606:4700::1111]", "[::ffff:8.8.8.8]", "[64:ff9b::808:808]"])(
  "%s is not",
  (host) => expect(() => strict().checkHost(host)).not.toThrow(),
);

test.each(["127.0.0.1", "10.1.2.3", "[::1]"])("%s may be contacted where private networks may", (host) => {
  const guard = new TargetGuard({ allowPrivateTargets: true, allowedHosts: [] });
  expect(() => guard.checkHost(host)).not.toThrow();
});

test.each(["169.254.169.254", "0.0.0.0", "[fe80::1]", "[::ffff:169.254.169.254]"])("%s may not even there", (host) => {
  const guard = new TargetGuard({ allowPrivateTargets: true, allowedHosts: [] });
  expect(() => guard.checkHost(host)).toThrow("alerting.notify.allowed_hosts can allow it");
});

describe("names", () => {
  test.each([
    [["93.184.216.34"], false],
    [["10.0.0.1"], true],
    [["93.184.216.34", "10.0.0.1"], true],
    [["::ffff:10.0.0.1"], true],
  ])("that resolve to %j", async (found, isRefused) => {
    const checked = strict([], found).checkName("hooks.example.com");
    if (isRefused) await expect(checked).rejects.toThrow("hooks.example.com (");
    else await expect(checked).resolves.toBeUndefined();
  });

  test("all of them are handed on to be connected to", () => {
    const given: unknown[] = [];
    strict([], ["1.2.3.4", "5.6.7.8"]).lookup("x.example", { all: true }, (...answer) => given.push(answer));
    strict([], ["1.2.3.4"]).lookup("x.example", {}, (...answer) => given.push(answer));
    strict([], []).lookup("x.example", {}, (error) => given.push(error?.message));
    expect(given).toEqual([
      [
        null,
        [
          { address: "1.2.3.4", family: 4 },
          { address: "5.6.7.8", family: 4 },
        ],
      ],
      [null, "1.2.3.4", 4],
      "x.example has no address",
    ]);
  });
});

test.each([
  [["10.0.0.0/8"], "10.9.9.9", false],
  [["10.0.0.0/8"], "192.168.0.1", true],
  [["169.254.169.254"], "169.254.169.254", false],
  [["fd00::/8"], "[fd12::1]", false],
])("allowed: %j, asked: %s", (allowed, host, isRefused) => {
  const check = () => strict(allowed).checkHost(host);
  if (isRefused) expect(check).toThrow(RefusedTargetError);
  else expect(check).not.toThrow();
});

test.each([
  [["hooks.internal"], "hooks.internal", false],
  [["hooks.internal"], "HOOKS.internal.", false],
  [["*.internal"], "a.b.internal", false],
  [["*.internal"], "internal", true],
  [["*.internal"], "a.internal.evil.example", true],
])("allowed: %j, asked: %s", async (allowed, host, isRefused) => {
  const checked = strict(allowed, ["10.0.0.1"]).checkName(host);
  if (isRefused) await expect(checked).rejects.toThrow(RefusedTargetError);
  else await expect(checked).resolves.toBeUndefined();
});

test("a network that is none is said at the start", () =>
  expect(() => strict(["10.0.0.0/40"])).toThrow('alerting.notify.allowed_hosts: "10.0.0.0/40" is no network'));
