import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidInputError } from "@sightline/model/errors.ts";
import { afterAll, expect, test } from "vitest";
import { lokiPushJsonToProtobuf } from "../loki/push-json.ts";
import { otlpJsonToProtobuf } from "./json.ts";
import { JsonThread } from "./json-thread.ts";

const thread = new JsonThread();
afterAll(() => thread.close());

const jsonOf = (records: number) =>
  Buffer.from(
    JSON.stringify({
      resourceLogs: [
        {
          scopeLogs: [
            { logRecords: Array.from({ length: records }, (_, i) => ({ body: { stringValue: `record ${i}` } })) },
          ],
        },
      ],
    }),
  );

test("gives what the conversion gives, in the order it was asked, and leaves the request as it was", async () => {
  const requests = [3, 1, 20_000, 2].map(jsonOf);
  const before = requests.map((bytes) => Buffer.from(bytes));
  const answers = await Promise.all(requests.map((bytes) => thread.toProtobuf("logs", bytes)));
  expect(requests).toEqual(before);
  for (const [i, bytes] of requests.entries()) {
    expect(Buffer.compare(answers[i] as Uint8Array, otlpJsonToProtobuf("logs", bytes))).toBe(0);
  }
});

test("turns pushes of Loki into protobuf, too", async () => {
  const push = Buffer.from('{"streams":[{"stream":{"a":"b"},"values":[["1790000000123456789","x"]]}]}');
  expect(Buffer.compare(await thread.toProtobuf("loki-push", push), lokiPushJsonToProtobuf(push))).toBe(0);
  await expect(thread.toProtobuf("loki-push", Buffer.from("[]"))).rejects.toThrow("the body must be an object");
});

test("takes the memory of a request that is given away", async () => {
  const bytes = new Uint8Array(jsonOf(5));
  const wanted = otlpJsonToProtobuf("logs", bytes);
  const answer = await thread.toProtobuf("logs", bytes, { giveAway: true });
  expect(Buffer.compare(answer, wanted)).toBe(0);
  expect(bytes.byteLength).toBe(0);
});

test("refuses what is wrong in the words of the conversion, and goes on", async () => {
  const wrong = thread.toProtobuf("logs", Buffer.from('{"resourceLogs": 1}'));
  await expect(wrong).rejects.toThrow(InvalidInputError);
  await expect(wrong).rejects.toThrow(/resourceLogs: a JSON array is expected/);
  expect((await thread.toProtobuf("logs", jsonOf(1))).length).toBeGreaterThan(0);
});

test("starts again after it was closed", async () => {
  await thread.close();
  expect((await thread.toProtobuf("logs", jsonOf(1))).length).toBeGreaterThan(0);
});

test("a process that waits for nothing else does not end before it has the answer", () => {
  const dir = mkdtempSync(join(tmpdir(), "json-thread-"));
  const script = join(dir, "ask.mjs");
  const url = new URL("./json-thread.ts", import.meta.url).href;
  writeFileSync(
    script,
    `import { JsonThread } from ${JSON.stringify(url)};
    const bytes = await new JsonThread().toProtobuf("logs", Buffer.from('{"resourceLogs":[]}'));
    console.log("answered", bytes.length);`,
  );
  // With the thread idle again it ends by itself.
  const { status, stdout } = spawnSync(process.execPath, [script], { encoding: "utf8", timeout: 60_000 });
  rmSync(dir, { recursive: true });
  expect({ status, stdout }).toEqual({ status: 0, stdout: "answered 0\n" });
});
