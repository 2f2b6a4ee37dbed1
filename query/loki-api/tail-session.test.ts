import { logBatchOf } from "@sightline/storage-conformance/log-batch-of.ts";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parseLogql } from "../logql/parse/parse-logql.ts";
import { TailLines } from "./tail-lines.ts";
import { TailSession, type TailSocket } from "./tail-session.ts";

class Socket implements TailSocket {
  bufferedAmount = 0;
  readonly sent: string[] = [];
  isTerminated = false;
  send(text: string) {
    this.sent.push(text);
  }
  ping() {}
  close() {}
  terminate() {
    this.isTerminated = true;
  }
  messages() {
    return this.sent.map((text) => JSON.parse(text));
  }
}

let socket: Socket;
let dropped: number;
const sessions: TailSession[] = [];
beforeEach(() => {
  vi.useFakeTimers();
  socket = new Socket();
  dropped = 0;
});
afterEach(() => {
  for (const session of sessions.splice(0)) session.stop();
  vi.useRealTimers();
});

function session(query: string, { delayMs = 0, categorize = false } = {}): TailSession {
  const expr = parseLogql(query, 1_000);
  if (expr.kind !== "log") throw new Error("no log query");
  const onDropped = (entries: number) => {
    dropped += entries;
  };
  const lines = new TailLines(expr, { maxTemplateCharacters: 1_000, categorize });
  const made = new TailSession(socket, { lines, categorize, delayMs, onDropped });
  sessions.push(made);
  return made;
}
const batch = (...bodies: string[]) =>
  logBatchOf(bodies.map((body, i) => ({ timeNs: 1_000n + BigInt(i), body, labels: { app: "shop" } })));

describe("a tail", () => {
  test.each([
    ['{app="shop"}', false, { app: "shop" }],
    ['{app="shop"} |= "a"', false, { app: "shop", detected_level: "unknown" }],
    ['{app="shop"}', true, { app: "shop" }],
  ])("%s, categorized: %s, has in its frames the labels %j", (query, categorize, want) => {
    const tail = session(query, { categorize });
    tail.begin([]);
    tail.take(batch("a"));
    vi.advanceTimersByTime(100);
    const [{ stream, values }] = socket.messages()[0].streams;
    expect(stream).toEqual(want);
    expect(values[0][2]).toEqual(categorize ? { structuredMetadata: { detected_level: "unknown" } } : undefined);
  });

  test("sends what the query wants, with the labels that Loki gives", () => {
    const tail = session('{app="shop"} |= "a" | logfmt | line_format "{{.x}}"');
    tail.begin([]);
    tail.take(batch("a x=1", "b x=2", "a x=3"));
    tail.take(logBatchOf([{ timeNs: 1n, body: "a x=4", labels: { app: "other" } }]));
    vi.advanceTimersByTime(100);
    expect(socket.messages().flatMap(({ streams }) => streams)).toEqual([
      { stream: expect.objectContaining({ app: "shop", x: "1" }), values: [["1000", "1"]] },
      { stream: expect.objectContaining({ app: "shop", x: "3" }), values: [["1002", "3"]] },
    ]);
  });

  test("sends lines of several streams in the order of their times, as Loki does: clients print them so", () => {
    const tail = session('{app=~".+"}');
    tail.begin([]);
    const apps = ["web", "api", "api", "web", "db"];
    tail.take(logBatchOf(apps.map((app, i) => ({ timeNs: 1_000n + BigInt(i), body: `line ${i}`, labels: { app } }))));
    vi.advanceTimersByTime(100);
    const streams = socket.messages().flatMap(({ streams }) => streams);
    expect(streams.map(({ stream, values }) => [stream.app, values.map(([, line]: string[]) => line)])).toEqual([
      ["web", ["line 0"]],
      ["api", ["line 1", "line 2"]],
      ["web", ["line 3"]],
      ["db", ["line 4"]],
    ]);
  });

  test("sends what was there first, and nothing twice", () => {
    const tail = session('{app="shop"}');
    tail.take(batch("one", "two"));
    vi.advanceTimersByTime(1_000);
    expect(socket.sent).toEqual([]);
    tail.begin([{ timeNs: 1_000n, line: "one", stream: [["app", "shop"]], metadata: [], parsed: [] }]);
    const lines = socket.messages().flatMap(({ streams }) => streams.flatMap(({ values }: never) => values));
    expect(lines.toSorted()).toEqual([
      ["1000", "one"],
      ["1001", "two"],
    ]);
  });

  test("sends what was only stored, with the labels that it would have come with, and nothing twice", () => {
    const tail = session('{app="shop"}');
    tail.begin([]);
    tail.take(batch("one"));
    const stored = (line: string, timeNs: bigint) => ({
      timeNs,
      line,
      stream: [["app", "shop"]] as const,
      metadata: [["detected_level", "unknown"]] as const,
      parsed: [],
    });
    tail.takeStored([stored("one", 1_000n), stored("two", 1_001n)]);
    tail.take(batch("one", "two"));
    vi.advanceTimersByTime(100);
    const stream = { app: "shop" };
    const values = [
      ["1000", "one"],
      ["1000", "one"],
      ["1001", "two"],
    ];
    expect(socket.messages()).toEqual([{ streams: [{ stream, values }] }]);
  });

  test("keeps lines back for delay_for", () => {
    const tail = session('{app="shop"}', { delayMs: 2_000 });
    tail.begin([]);
    tail.take(batch("one"));
    vi.advanceTimersByTime(1_900);
    expect(socket.sent).toEqual([]);
    vi.advanceTimersByTime(200);
    expect(socket.sent).toHaveLength(1);
  });

  test("sorts labels into categories when asked", () => {
    const tail = session('{app="shop"}', { categorize: true });
    tail.begin([]);
    tail.take(batch("one"));
    vi.advanceTimersByTime(100);
    expect(socket.messages()).toEqual([
      {
        streams: [
          { stream: { app: "shop" }, values: [["1000", "one", { structuredMetadata: { detected_level: "unknown" } }]] },
        ],
        encodingFlags: ["categorize-labels"],
      },
    ]);
  });
});

describe("a client that reads nothing", () => {
  test("costs no more than what may wait, is told what it lost, and is let go", () => {
    const tail = session('{app="shop"}');
    tail.begin([]);
    socket.bufferedAmount = 2 * 1024 * 1024;
    for (let i = 0; i < 30; i++) tail.take(batch(...Array.from({ length: 500 }, (_, j) => `line ${i} ${j}`)));
    vi.advanceTimersByTime(30_000);
    expect(socket.sent).toEqual([]);
    expect(dropped).toBe(5_000);
    socket.bufferedAmount = 0;
    vi.advanceTimersByTime(100);
    const messages = socket.messages();
    expect(messages[0].dropped_entries).toHaveLength(1_000);
    expect(messages[0].dropped_entries[0]).toEqual({ timestamp: "1000", labels: { app: "shop" } });
    expect(messages.every(({ streams }) => streams[0].values.length <= 500)).toBe(true);
    expect(messages).toHaveLength(20);
    socket.bufferedAmount = 2 * 1024 * 1024;
    tail.take(batch("more"));
    vi.advanceTimersByTime(61_000);
    expect(socket.isTerminated).toBe(true);
  });

  test("with long lines, too", () => {
    const tail = session('{app="shop"}');
    tail.begin([]);
    socket.bufferedAmount = 2 * 1024 * 1024;
    for (let i = 0; i < 12; i++) tail.take(batch("x".repeat(1024 * 1024)));
    expect(dropped).toBe(4);
  });
});
