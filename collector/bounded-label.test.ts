import { expect, test } from "vitest";
import { BoundedLabel } from "./bounded-label.ts";

test("the first values stay as they are, later ones become one", () => {
  const label = new BoundedLabel(2);
  expect(["a", "b", "a", "c", "d", "b"].map((value) => label.of(value))).toEqual([
    "a",
    "b",
    "a",
    "(other)",
    "(other)",
    "b",
  ]);
});
