import type { LineFilter } from "@sightline/model/line-filter.ts";
import type { LogStore } from "@sightline/model/log-store.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LogRow } from "./log-batch-of.ts";
import { bodies, type LogStoreFixture, NOW, on, PLACES, T, type Write, writer } from "./log-store-fixture.ts";

/** Line filters and stream selectors. */
export function describeLogQueries(name: string, make: () => Promise<LogStoreFixture>): void {
  describe.each(PLACES)(`queries of ${name}, %s`, (where) => {
    describeFilters(make, writer(where));
    describeStreams(make, writer(where));
  });
}

/** One store with these rows for all tests of a group. */
function describeWith(
  title: string,
  make: () => Promise<LogStoreFixture>,
  write: (store: LogStore) => Promise<void>,
  tests: (store: () => LogStore) => void,
): void {
  describe(title, () => {
    let fixture: LogStoreFixture;
    beforeAll(async () => {
      fixture = await make();
      await write(fixture.store);
    });
    afterAll(() => fixture.dispose());
    tests(() => fixture.store);
  });
}

const HOSTILE = [
  "plain text",
  "100% sure",
  "under_score",
  "it's",
  'say "hi"',
  "back\\slash",
  "new\nline",
  "nul\u0000byte",
  "emoji 😀🏳️‍🌈",
  "combining e\u0301",
  "'; DROP TABLE logs; --",
  "$1 $2 ?",
  "[a-z]+(b|c)*.{2}",
  "tab\tand\r",
];

function describeFilters(make: () => Promise<LogStoreFixture>, write: Write): void {
  const rows = HOSTILE.map((body, i) => ({ timeNs: T + BigInt(i), body }));
  describeWith("line filters", make, (store) => write(store, rows), lineFilterTests);
}

function lineFilterTests(given: () => LogStore): void {
  test.each(HOSTILE.map((text) => [text]))("finds exactly the lines that contain %j, and the others", async (text) => {
    const store = given();
    const piece = text.slice(1);
    expect(await bodies(store, { line: [{ op: "|=", text: piece }] })).toEqual([text]);
    expect(await bodies(store, { line: [{ op: "!=", text: piece }] })).toEqual(
      HOSTILE.filter((body) => body !== text).sort(),
    );
  });

  test.each<[readonly LineFilter[], readonly string[]]>([
    [[{ op: "|=", text: "" }], HOSTILE],
    [[{ op: "!=", text: "" }], []],
    [[{ op: "|=", text: "%" }], ["100% sure"]],
    [[{ op: "|=", text: "_" }], ["under_score"]],
    [[{ op: "|=", text: "PLAIN" }], []],
    [[{ op: "|~", text: "(?i)PLAIN" }], ["plain text"]],
    [[{ op: "|~", text: "^new" }], ["new\nline"]],
    [[{ op: "|~", text: "^line" }], []],
    [[{ op: "|~", text: "(?m)^line$" }], ["new\nline"]],
    [[{ op: "|~", text: "new.line" }], []],
    [[{ op: "|~", text: "(?s)new.line" }], ["new\nline"]],
    [[{ op: "|~", text: "\\d+%" }], ["100% sure"]],
    [[{ op: "|~", text: "😀|it's" }], ["emoji 😀🏳️‍🌈", "it's"]],
    [[{ op: "|~", text: "\\p{So}" }], ["emoji 😀🏳️‍🌈"]],
    [[{ op: "|~", text: "nul\\x00byte" }], ["nul\u0000byte"]],
    [[{ op: "|~", text: "back\\\\slash" }], ["back\\slash"]],
    [[{ op: "|~", text: "^.{4}$" }], ["it's"]],
    [[{ op: "!~", text: "[a-z]" }], HOSTILE.filter((body) => !/[a-z]/.test(body))],
    [[{ op: "!~", text: "a|e|i|u" }], HOSTILE.filter((body) => !/[aeiu]/.test(body))],
    [
      [
        { op: "|=", text: "s" },
        { op: "!=", text: "'" },
        { op: "|~", text: "r|k" },
        { op: "!~", text: "^t" },
      ],
      ["100% sure", "back\\slash", "under_score"],
    ],
  ])("applies %j", async (line, want) => {
    const store = given();
    expect(await bodies(store, { line })).toEqual(want.toSorted());
  });

  test("applies a regular expression that is too large for some engines", async () => {
    const store = given();
    const text = "plain|\\pL{900}";
    expect(await bodies(store, { line: [{ op: "|~", text }] })).toEqual(["plain text"]);
  });

  test("refuses what is not a regular expression", async () => {
    const store = given();
    await expect((async () => bodies(store, { line: [{ op: "|~", text: "(" }] }))()).rejects.toThrow(
      /regular expression/,
    );
  });
}

function describeStreams(make: () => Promise<LogStoreFixture>, write: Write): void {
  const rows: readonly LogRow[] = [
    { timeNs: T, body: "a1", labels: { app: "a", pod: "1" } },
    { timeNs: T + 10n, body: "a2", labels: { app: "a", pod: "2" } },
    { timeNs: T + 20n, body: "b", labels: { app: 'it\'s "b"' } },
    { timeNs: T + 30n, body: "a1 again", labels: { app: "a", pod: "1" } },
    { timeNs: T + 40n, body: "none" },
  ];
  describeWith("streams", make, (store) => write(store, rows), streamTests);
}

function streamTests(given: () => LogStore): void {
  test.each([
    [[{ name: "app", op: "=", value: "a" }], ["a1", "a1 again", "a2"]],
    [[{ name: "app", op: "!=", value: "a" }], ["b", "none"]],
    [[{ name: "app", op: "=~", value: "a|x" }], ["a1", "a1 again", "a2"]],
    [[{ name: "app", op: "=~", value: ".+'.*" }], ["b"]],
    [[{ name: "app", op: "=", value: "" }], ["none"]],
    [[{ name: "pod", op: "=~", value: ".+" }], ["a1", "a1 again", "a2"]],
    [[{ name: "pod", op: "!~", value: "1" }], ["a2", "b", "none"]],
    [
      [
        { name: "app", op: "=", value: "a" },
        { name: "pod", op: "!=", value: "2" },
      ],
      ["a1", "a1 again"],
    ],
    [[{ name: "app", op: "=", value: "' OR 1=1 --" }], []],
  ] as const)("selects %j", async (matchers, want) => {
    expect(await bodies(given(), { matchers })).toEqual(want);
  });

  test("lists each stream with records in the range once", async () => {
    const store = given();
    const streams = async (startNs: bigint, endNs: bigint, value = ".*") => {
      const matchers = [{ name: "app", op: "=~" as const, value }];
      const found = await store.streams({ tenant: DEFAULT_TENANT, range: { startNs, endNs }, matchers }, on);
      return found.map(({ labels }) => labels.map(([, text]) => text).join()).sort();
    };
    expect(await streams(T, NOW)).toEqual(["", "a,1", "a,2", 'it\'s "b"']);
    expect(await streams(T, NOW, "a")).toEqual(["a,1", "a,2"]);
    expect(await streams(T + 1n, T + 30n)).toEqual(["a,2", 'it\'s "b"']);
    expect(await streams(T + 11n, T + 20n)).toEqual([]);
    expect(await streams(T + 30n, T + 31n)).toEqual(["a,1"]);
  });
}
