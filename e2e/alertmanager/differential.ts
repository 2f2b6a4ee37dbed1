/**
 * Compares `sightline alertmanager` with an Alertmanager: answers to configurations and requests, and what both send in half
 * a minute of the same alerts, silences and reloads.
 *
 *     node e2e/alertmanager/differential.ts /path/to/alertmanager [/path/to/amtool]
 *
 * Prints what differs. Exit code 1 when receivers are told differently, or one takes a configuration that the other refuses.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AlertmanagerProcess } from "./alertmanager-process.ts";
import { AMTOOL_COMMANDS, AMTOOL_FILES } from "./differential/amtool-cases.ts";
import { API_CONFIG } from "./differential/api-cases.ts";
import { compareAmtool } from "./differential/compare-amtool.ts";
import { compareApi } from "./differential/compare-api.ts";
import { compareConfigs } from "./differential/compare-configs.ts";
import { compareTimelines, HookReceiver, type Side } from "./differential/compare-timelines.ts";
import { CONFIG_CASES } from "./differential/config-cases.ts";
import { TIMELINE_CONFIG } from "./differential/timeline-cases.ts";

const SHOWN = 200;

async function main(binary: string | undefined, amtool: string | undefined): Promise<number> {
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
    if (amtool !== undefined) await compareCommands(dir, configFile, amtool, theirs, ours);
    const told = await compareNotifications(dir, binary);
    // Alertmanager is strict about upper and lower case in names of time zones, and dies of a route that is null.
    const isKnown = ({ config, theirs }: (typeof verdicts)[number]) =>
      config.includes("europe/berlin") || theirs === "no answer";
    return told === 0 && verdicts.every(isKnown) ? 0 : 1;
  } finally {
    await Promise.all([theirs.kill(), ours.kill()]);
    rmSync(dir, { recursive: true, force: true });
  }
}

async function compareCommands(
  dir: string,
  configFile: string,
  amtool: string,
  theirs: AlertmanagerProcess,
  ours: AlertmanagerProcess,
): Promise<void> {
  const files = join(dir, "amtool");
  mkdirSync(files);
  for (const [name, text] of Object.entries(AMTOOL_FILES)) {
    writeFileSync(join(files, name), text.replaceAll("DIR", files));
  }
  writeFileSync(configFile, readFileSync(join(files, "cfg.yml")));
  for (const one of [theirs, ours]) {
    await one.kill();
    rmSync(one.dataDir, { recursive: true, force: true });
    await one.start();
  }
  const differences = await compareAmtool(amtool, files, theirs, ours);
  for (const { command, theirs, ours } of differences) show(command, theirs, ours);
  process.stdout.write(`${AMTOOL_COMMANDS.length} calls of amtool, ${differences.length} outputs differ\n\n`);
}

/** How many hooks were told differently. */
async function compareNotifications(dir: string, binary: string): Promise<number> {
  const sides = await Promise.all([makeSide(dir, "theirs", binary), makeSide(dir, "ours", undefined)]);
  const [theirs, ours] = sides;
  try {
    await Promise.all(sides.map(({ server }) => server.start()));
    const differences = await compareTimelines(theirs, ours);
    for (const { hook, theirs, ours } of differences) {
      process.stdout.write(`${hook}\n  theirs ${theirs.join("\n         ")}\n  ours   ${ours.join("\n         ")}\n`);
    }
    const count = [...ours.receiver.said.values()].reduce((sum, said) => sum + said.length, 0);
    process.stdout.write(`${count} notifications to ${ours.receiver.said.size} hooks, ${differences.length} differ\n`);
    return differences.length;
  } finally {
    for (const { server, receiver } of sides) {
      await server.kill();
      receiver.stop();
    }
  }
}

async function makeSide(dir: string, name: string, binary: string | undefined): Promise<Side> {
  const receiver = new HookReceiver();
  const hook = await receiver.start();
  const configFile = join(dir, `${name}-timeline.yml`);
  writeFileSync(configFile, TIMELINE_CONFIG.replaceAll("HOOK", hook));
  const server = new AlertmanagerProcess({ configFile, dataDir: join(dir, `${name}-timeline`), binary });
  return { server, configFile, receiver, hook };
}

/** From where they differ on. */
function show(what: string, theirs: string, ours: string): void {
  let same = 0;
  while (same < theirs.length && theirs[same] === ours[same]) same++;
  const rest = (text: string) => JSON.stringify(text.slice(Math.max(0, same - 40), same + SHOWN));
  process.stdout.write(`${JSON.stringify(what.slice(0, SHOWN))}\n  theirs ${rest(theirs)}\n  ours   ${rest(ours)}\n`);
}

process.exitCode = await main(process.argv[2], process.argv[3]);
