import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AlertmanagerProcess } from "../alertmanager-process.ts";
import { CONFIG_CASES, TEMPLATE_FILES } from "./config-cases.ts";

export type ConfigDifference = { readonly config: string; readonly theirs: string; readonly ours: string };

const DEAD = "no answer";

/** Has both take each configuration into use, and gives those of which they say different things. */
export async function compareConfigs(
  dir: string,
  configFile: string,
  theirs: AlertmanagerProcess,
  ours: AlertmanagerProcess,
): Promise<readonly ConfigDifference[]> {
  const templates = join(dir, "templates");
  mkdirSync(templates, { recursive: true });
  for (const [name, text] of Object.entries(TEMPLATE_FILES)) writeFileSync(join(templates, name), text);
  const differences: ConfigDifference[] = [];
  for (const text of CONFIG_CASES) {
    const config = text.replaceAll("TEMPLATES", templates);
    writeFileSync(configFile, config);
    const answers = [await reload(theirs), await reload(ours)];
    if (answers[0] === DEAD) await restart(theirs, configFile);
    const [a, b] = answers.map((answer) => answer.replace(`config: ${configFile}: `, "config: "));
    if (a !== b) differences.push({ config, theirs: a ?? "", ours: b ?? "" });
  }
  return differences;
}

async function reload(server: AlertmanagerProcess): Promise<string> {
  try {
    const response = await fetch(`${server.url}/-/reload`, { method: "POST" });
    const text = await response.text();
    return response.ok ? "fine" : text.trim();
  } catch {
    return DEAD;
  }
}

/** Alertmanager itself dies of some configurations. */
async function restart(server: AlertmanagerProcess, configFile: string): Promise<void> {
  await server.kill();
  writeFileSync(configFile, CONFIG_CASES[0] ?? "");
  await server.start();
}
