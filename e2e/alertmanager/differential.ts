/**
 * Compares answers of `sightline alertmanager` with those of an Alertmanager: to configurations, and to requests.
 *
 *     node e2e/alertmanager/differential.ts /path/to/alertmanager
 *
 * Prints what differs. Exit code 1 when one takes a configuration that the other refuses and that is not known of.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AlertmanagerProcess } from "./alertmanager-process.ts";
import { API_CONFIG } from "./differential/api-cases.ts";
import { compareApi } from "./differential/compare-api.ts";
import { compareConfigs } from "./differential/compare-configs.ts";
import { CONFIG_CASES } from "./differential/config-cases.ts";

const SHOWN = 200;

async function main(binary: string | undefined): Promise<number> {
  if (binary === undefined) {
    process.stderr.write("give the path of an Alertmanager's binary\n");
    return 2;
  }
  const dir = mkdtempSync(join(tmpdir(), "sightline-differential-"));
  const configFile = join(dir, "alertmanager.yml");
  const theirs = new AlertmanagerProcess({ configFile, dataDir: join(dir, "theirs"), binary });
  const ours = new AlertmanagerProcess({ configFile, dataDir: join(dir, "ours") });
  try {
    writeFileSync(configFile, API_CONFIG);
    await Promise.all([theirs.start(), ours.start()]);
    const { asked, differences } = await compareApi(theirs, ours);
    for (const { request, theirs, ours } of differences) show(request, theirs, ours);
    process.stdout.write(`${asked} requests, ${differences.length} answers differ\n\n`);
    const configs = await compareConfigs(dir, configFile, theirs, ours);
    for (const { config, theirs, ours } of configs) show(config, theirs, ours);
    const verdicts = configs.filter(({ theirs, ours }) => (theirs === "fine") !== (ours === "fine"));
    process.stdout.write(
      `${CONFIG_CASES.length} configurations, ${configs.length} answers differ, ${verdicts.length} verdicts\n`,
    );
    // Alertmanager is strict about upper and lower case in names of time zones.
    return verdicts.every(({ config }) => config.includes("europe/berlin")) ? 0 : 1;
  } finally {
    await Promise.all([theirs.kill(), ours.kill()]);
    rmSync(dir, { recursive: true, force: true });
  }
}

/** From where they differ on. */
function show(what: string, theirs: string, ours: string): void {
  let same = 0;
  while (same < theirs.length && theirs[same] === ours[same]) same++;
  const rest = (text: string) => JSON.stringify(text.slice(Math.max(0, same - 40), same + SHOWN));
  process.stdout.write(`${JSON.stringify(what.slice(0, SHOWN))}\n  theirs ${rest(theirs)}\n  ours   ${rest(ours)}\n`);
}

process.exitCode = await main(process.argv[2]);
