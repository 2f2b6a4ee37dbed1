import { type Labels, labelsFrom } from "@sightline/model/labels.ts";
import { z } from "zod";
import { LineTemplate } from "./line-template.ts";
import type { ServicePatterns } from "./service-patterns.ts";
import type { TenantPatterns } from "./tenant-patterns.ts";
import { TimeCounts } from "./time-counts.ts";

const VERSION = 1;
const MAX_STREAM = 100_000;
const labels = z.array(z.tuple([z.string(), z.string()]));
const header = z.object({ version: z.literal(VERSION), sinceMs: z.number(), lostUpToMs: z.number() });
const template = z.object({
  literals: z.array(z.string()),
  tokens: z.array(z.string().nullable()),
  rest: z.boolean(),
  usedMs: z.number(),
  counts: z.array(z.tuple([z.int().min(0).max(MAX_STREAM), z.string()])),
});
const service = z.object({
  name: z.string(),
  position: z.number(),
  usedMs: z.number(),
  streams: z.array(labels),
  varying: z.array(z.string()),
  others: z.boolean(),
  levels: z.array(z.object({ level: z.string(), templates: z.array(template) })),
});

/**
 * A tenant's patterns as lines of JSON: a header, and a line per service. A service is written at one moment, and has the
 * position up to which the log is counted in it: what was counted since then is counted again from the log, once.
 */
export function* encodePatterns(tenant: TenantPatterns): Generator<string> {
  const lostUpToMs = Math.max(tenant.lostUpToMs, -1);
  yield `${JSON.stringify({ version: VERSION, sinceMs: tenant.sinceMs, lostUpToMs } satisfies z.input<typeof header>)}\n`;
  for (const [name, patterns] of tenant.services) yield `${JSON.stringify(encodeService(name, patterns))}\n`;
}

/** Takes in one line. Throws for one that is none of {@link encodePatterns}. */
export function decodePatterns(line: string, index: number, tenant: TenantPatterns): void {
  const json: unknown = JSON.parse(line);
  if (index === 0) {
    const { sinceMs, lostUpToMs } = header.parse(json);
    tenant.sinceMs = sinceMs;
    tenant.lostUpToMs = lostUpToMs;
    return;
  }
  const { name, position, usedMs, streams, varying, others, levels } = service.parse(json);
  const patterns = tenant.newService();
  patterns.restoreStreams(
    streams.map((pairs): Labels => labelsFrom(pairs)),
    varying,
    others,
  );
  patterns.position = position;
  patterns.lastUsedMs = usedMs;
  for (const { level, templates } of levels) {
    const miner = patterns.miner(level);
    for (const each of templates) miner.restore(decodeTemplate(each));
  }
  tenant.services.set(name, patterns);
}

function encodeService(name: string, patterns: ServicePatterns): z.input<typeof service> {
  return {
    name,
    position: patterns.position,
    usedMs: patterns.lastUsedMs,
    streams: patterns.streams.map((pairs) => pairs.map(([key, value]) => [key, value])),
    varying: [...patterns.varying],
    others: patterns.hasOthers,
    levels: Array.from(patterns.miners, ([level, miner]) => ({
      level,
      templates: miner.templates().map(encodeTemplate),
    })),
  };
}

function encodeTemplate({ literals, tokens, hasRest, lastUsedMs, counts }: LineTemplate): z.input<typeof template> {
  const encoded: [number, string][] = [];
  for (const [stream, each] of counts.entries()) if (each && each.length > 0) encoded.push([stream, each.encode()]);
  return {
    literals: [...literals],
    tokens: tokens.map((token) => token ?? null),
    rest: hasRest,
    usedMs: lastUsedMs,
    counts: encoded,
  };
}

function decodeTemplate({ literals, tokens, rest, usedMs, counts }: z.output<typeof template>): LineTemplate {
  const decoded = new LineTemplate(
    literals,
    tokens.map((token) => token ?? undefined),
    rest,
  );
  decoded.lastUsedMs = usedMs;
  for (const [stream, each] of counts) decoded.counts[stream] = TimeCounts.decode(each);
  return decoded;
}
