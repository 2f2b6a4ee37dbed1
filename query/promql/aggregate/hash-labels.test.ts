import type { Labels } from "@sightline/model/labels.ts";
import { expect, test } from "vitest";
import { hashLabels } from "./hash-labels.ts";

test.each<[string, Labels, bigint]>([
  ["no labels", [], 0xef46db3751d8e999n],
  ["one label", [["a", "b"]], 0xe1d7c42746d86b11n],
  [
    "several labels",
    [
      ["__name__", "http_requests_total"],
      ["instance", "host:9090"],
      ["job", "api"],
    ],
    0xbfcb80ef1e6fbe87n,
  ],
  ["text beyond ASCII", [["city", "Zürich"]], 0x90eef8d6c24f35fdn],
  ["a value with a length of one byte", [["a", "x".repeat(254)]], 0xd595c5082328667an],
  ["a value with a longer length", [["a", "x".repeat(255)]], 0x6cdb059dacbe544en],
  ["a value beyond 64 KiB", [["a", "x".repeat(70_000)]], 0xd5a15f086eb259ean],
])("%s: the hash is that of Prometheus", (_name, labels, want) => {
  expect(hashLabels(labels)).toBe(Number(want) / 2 ** 64);
});
