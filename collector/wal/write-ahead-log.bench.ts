/**
 * `node collector/wal/write-ahead-log.bench.ts [DIR]`: requests of 20 kB (as Prometheus sends 2,000 samples) appended by
 * 1, 8 and 64 senders that each wait for their answer, with and without preallocated segments. Medians of rounds.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { Registry } from "prom-client";
import { collectorConfig } from "../config.ts";
import { WriteAheadLog } from "./write-ahead-log.ts";

const BODY = Buffer.alloc(20_000, "sample ");
const ROUND_MS = 700;
const ROUNDS = 5;

type Round = { readonly perSecond: number; readonly p50Ms: number; readonly p99Ms: number };

async function round(log: WriteAheadLog, senders: number): Promise<Round> {
  const latenciesMs: number[] = [];
  const start = performance.now();
  const send = async () => {
    while (performance.now() - start < ROUND_MS) {
      const before = performance.now();
      await log.append({
        tenant: DEFAULT_TENANT,
        protocol: "remote-write-1",
        encoding: "snappy",
        receivedAtMs: Date.now(),
        body: BODY,
      });
      latenciesMs.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: senders }, send));
  const seconds = (performance.now() - start) / 1_000;
  latenciesMs.sort((a, b) => a - b);
  const at = (share: number) => latenciesMs[Math.floor(share * latenciesMs.length)] as number;
  return { perSecond: latenciesMs.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

async function measure(preallocate: boolean, senders: number): Promise<void> {
  const dir = mkdtempSync(join(process.argv[2] ?? tmpdir(), "collector-bench-"));
  const { wal: config } = collectorConfig.parse({ wal: { preallocate, max_bytes: "16GiB" } });
  const log = new WriteAheadLog({ dir, config, logger: SILENT_LOGGER, registry: new Registry() });
  await log.start();
  await round(log, senders);
  const rounds: Round[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    await log.truncateBefore(log.lastPosition + 1);
    rounds.push(await round(log, senders));
  }
  await log.stop();
  rmSync(dir, { recursive: true });
  const perSecond = median(rounds.map((r) => r.perSecond));
  const p50 = median(rounds.map((r) => r.p50Ms)).toFixed(2);
  const p99 = median(rounds.map((r) => r.p99Ms)).toFixed(2);
  const megabytes = ((perSecond * BODY.length) / 1e6).toFixed(0);
  console.log(
    `preallocate ${preallocate}, ${senders} senders: ${perSecond.toFixed(0)} requests/s, ${megabytes} MB/s, p50 ${p50} ms, p99 ${p99} ms`,
  );
}

for (const preallocate of [false, true]) for (const senders of [1, 8, 64]) await measure(preallocate, senders);
