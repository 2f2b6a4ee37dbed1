import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collectorConfig } from "@sightline/collector/config.ts";
import { parseOverrides } from "@sightline/collector/limits/parse-overrides.ts";
import { loadConfig } from "@sightline/config/load.ts";
import { parseSelector } from "@sightline/model/parse-selector.ts";
import { TextSealer } from "@sightline/model/sealed-text.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import type { FuzzTarget, FuzzTargets } from "../target.ts";
import { textTarget } from "./text-target.ts";

const SETTINGS = [
  `listen: 127.0.0.1:4319
memory_limit: 60%
log: {level: info}
collector:
  limits: &limits {max_request_bytes: 16777216}
  tenants: {limits: {metrics: {max_active_series: 1000}}}
storage:
  logs:
    retention: \${RETENTION:-30d}
    flush: &flush {max_rows: 10}
  traces:
    flush: *flush
`,
];
const OVERRIDES = [
  `ada:
  limits:
    metrics: {max_active_series: 10, max_series_per_metric: 5}
    logs: {max_body_length: 3}
  processors:
    metrics:
      - kind: relabel
        rules:
          - {action: replace, source_labels: [job, instance], separator: ";", regex: "(.+);(.+)", target_label: x, replacement: "$1-$2"}
          - {action: hashmod, source_labels: [pod], modulus: 8, target_label: shard}
          - {action: labeldrop, regex: "tmp_.*"}
          - {action: keep, source_labels: [__name__], regex: "up|http_.*"}
`,
];
/** What operators write may take longer than what anybody sends. */
const OPERATORS_MS = 2_000;
const SELECTORS = ['up{job=~"a|b", instance!=""}', "{\"dotted.name\", x='y\\'z'}", "{app=`raw`}"];

/** What operators write: settings, overrides with relabelling rules, selectors of retention; and texts sealed by them. */
export function configuredTargets(): FuzzTargets {
  const dir = mkdtempSync(join(tmpdir(), "sightline-fuzz-"));
  const file = join(dir, "sightline.yaml");
  const { tenants } = collectorConfig.parse({});
  const sealer = new TextSealer(`k: ${Buffer.alloc(32, 7).toString("base64")}`.replace(" ", ""), "keys");
  const targets: FuzzTarget[] = [
    {
      ...textTarget("settings", 0.5, SETTINGS, (yaml) => {
        writeFileSync(file, yaml);
        loadConfig({ file, env: {}, flags: {} });
      }),
      maxInputMs: OPERATORS_MS,
    },
    {
      ...textTarget("overrides", 0.5, OVERRIDES, (yaml) => parseOverrides(yaml, tenants, "overrides.yaml")),
      // Once the server runs, on a thread of its own.
      maxInputMs: OPERATORS_MS,
    },
    textTarget("selectors of retention", 2, SELECTORS, parseSelector),
    textTarget("sealed texts", 1, [sealer.seal(DEFAULT_TENANT, "ann@example.org")], (sealed) =>
      sealer.open(DEFAULT_TENANT, sealed),
    ),
    textTarget(
      "keys for sealing",
      0.5,
      [`# newest\na:${Buffer.alloc(32).toString("base64")}`],
      (keys) => new TextSealer(keys, "keys"),
    ),
  ];
  return { targets, close: async () => rmSync(dir, { recursive: true }) };
}
