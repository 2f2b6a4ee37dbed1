import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { describe, expect, test } from "vitest";
import { BackgroundTask } from "./background-task.ts";

const taskOf = (work: () => Promise<void>) =>
  new BackgroundTask({ failure: "it failed", logger: SILENT_LOGGER, details: {}, work });
const isFinal = (error: unknown) => (error as Error).message === "final";
const LONG_MS = 600_000;

describe("work that begins with a start", () => {
  test("is waited for", async () => {
    let isDone = false;
    const task = taskOf(async () => {
      isDone = true;
    });
    await task.startWith(LONG_MS, isFinal);
    expect(isDone).toBe(true);
  });

  test("goes on in the background when it takes too long, and does not begin again meanwhile", async () => {
    let begun = 0;
    let finish = () => {};
    const task = taskOf(() => {
      begun++;
      return new Promise((resolve) => {
        finish = resolve;
      });
    });
    await task.startWith(1, isFinal);
    task.start();
    expect(begun).toBe(1);
    finish();
    await new Promise((resolve) => setImmediate(resolve));
    task.start();
    expect(begun).toBe(2);
  });

  test("fails the start when its error is final, and only then", async () => {
    await expect(taskOf(() => Promise.reject(new Error("final"))).startWith(LONG_MS, isFinal)).rejects.toThrow("final");
    await taskOf(() => Promise.reject(new Error("passing"))).startWith(LONG_MS, isFinal);
  });
});
