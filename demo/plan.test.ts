import { describe, expect, test } from "vitest";
import { endOfPlan, type PlannedSpan, ShopPlanner, shiftPlan, walkPlan } from "./plan.ts";
import { Random } from "./random.ts";
import { SERVICES, type ServiceName } from "./shop.ts";

const VISITS = 1_000;

function visits(seed: number, ...failing: readonly ServiceName[]): PlannedSpan[] {
  const planner = new ShopPlanner(new Random(seed), new Set(failing));
  return Array.from({ length: VISITS }, () => planner.visit(1_000));
}

function spansOf(plans: readonly PlannedSpan[]): PlannedSpan[] {
  const spans: PlannedSpan[] = [];
  for (const plan of plans) walkPlan(plan, (span) => spans.push(span));
  return spans;
}

const NORMAL = visits(1);

test("the same seed plans the same shop, another one another", () => {
  expect(visits(1)).toEqual(NORMAL);
  expect(visits(2)).not.toEqual(NORMAL);
});

test("every service takes part, and visits begin at the frontend", () => {
  expect(new Set(spansOf(NORMAL).map((span) => span.service))).toEqual(new Set(SERVICES));
  expect(new Set(NORMAL.map((plan) => `${plan.service} ${plan.kind}`))).toEqual(new Set(["frontend server"]));
});

test("kinds pair up: clients with servers, producers with consumers", () => {
  for (const span of spansOf(NORMAL)) {
    for (const child of span.children) {
      if (span.kind === "client") expect(child.kind).toBe("server");
      else if (span.kind === "producer") expect(child.kind).toBe("consumer");
      else expect(["client", "producer"]).toContain(child.kind);
      if (span.kind === "client" || span.kind === "producer") expect(child.service).not.toBe(span.service);
      else expect(child.service).toBe(span.service);
    }
  }
});

test("children lie within their parents, except for what comes from a queue", () => {
  for (const span of spansOf(NORMAL)) {
    expect(span.endMs).toBeGreaterThan(span.startMs);
    for (const child of span.children) {
      expect(child.startMs).toBeGreaterThanOrEqual(span.startMs);
      if (child.kind !== "consumer") expect(child.endMs).toBeLessThanOrEqual(span.endMs);
    }
  }
});

describe("a failing service", () => {
  const failing = visits(1, "payments");
  const share = (plans: readonly PlannedSpan[], takes: (span: PlannedSpan) => boolean) => {
    const spans = spansOf(plans).filter(takes);
    return spans.filter((span) => span.error !== "").length / spans.length;
  };
  const isCharge = (span: PlannedSpan) => span.service === "payments" && span.kind === "server";
  const isBuying = (span: PlannedSpan) => span.service === "frontend" && span.name === "POST /checkout";
  const isCart = (span: PlannedSpan) => span.service === "cart";

  test("answers with errors, and so do those that need it", () => {
    expect(share(NORMAL, isCharge)).toBeLessThan(0.05);
    expect(share(failing, isCharge)).toBeGreaterThan(0.2);
    expect(share(failing, isBuying)).toBeGreaterThan(0.2);
    expect(share(failing, isCart)).toBeLessThan(0.02);
  });

  test("is slow", () => {
    const mean = (plans: readonly PlannedSpan[]) => {
      const spans = spansOf(plans).filter((span) => isCharge(span) && span.error === "");
      return spans.reduce((sum, span) => sum + span.endMs - span.startMs, 0) / spans.length;
    };
    expect(mean(failing)).toBeGreaterThan(4 * mean(NORMAL));
  });

  test("that others can do without does not stop them", () => {
    const pages = visits(1, "recommendations").filter((plan) => plan.name === "GET /product/{id}");
    expect(pages.filter((plan) => plan.error !== "").length / pages.length).toBeLessThan(0.05);
  });
});

test("errors are logged as such, and orders are only counted when they were placed", () => {
  const spans = spansOf(visits(3, "checkout")).filter((span) => span.name === "POST /orders");
  expect(spans.some((span) => span.error !== "")).toBe(true);
  for (const span of spans) {
    expect(span.logs.some((log) => log.level === "ERROR")).toBe(span.error !== "");
    expect(span.measurements.some(({ instrument }) => instrument === "shop.orders")).toBe(span.error === "");
  }
});

test("a shifted plan is the same plan at another time", () => {
  const plan = NORMAL.find((visit) => visit.name === "POST /checkout") as PlannedSpan;
  const shifted = shiftPlan(plan, 500);
  expect(endOfPlan(shifted)).toBeCloseTo(endOfPlan(plan) + 500);
  expect(spansOf([shifted]).map((span) => span.startMs - 500)).toEqual(
    spansOf([plan]).map((span) => expect.closeTo(span.startMs)),
  );
  expect(shifted.logs[0]?.timeMs).toBeCloseTo((plan.logs[0]?.timeMs ?? 0) + 500);
});
