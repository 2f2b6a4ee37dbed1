import { expect, test } from "vitest";
import { LocalLeases } from "./local-leases.ts";
import type { Lease } from "./shared-state.ts";

test("a lease has one holder until it ends or is released, and each a higher token", async () => {
  let nowMs = 0;
  const leases = new LocalLeases(() => nowMs);
  const first = (await leases.acquire("a", 100)) as Lease;
  expect(await leases.acquire("a", 100)).toBeUndefined();
  nowMs = 99;
  expect(await leases.renew(first, 100)).toBe(true);
  nowMs = 198;
  expect(await leases.acquire("a", 100)).toBeUndefined();
  nowMs = 199;
  expect(await leases.renew(first, 100)).toBe(false);
  const second = (await leases.acquire("a", 100)) as Lease;
  expect(second.token).toBeGreaterThan(first.token);
  await leases.release(first);
  expect(await leases.acquire("a", 100)).toBeUndefined();
  await leases.release(second);
  expect((await leases.acquire("a", 100))?.token).toBeGreaterThan(second.token);
});
