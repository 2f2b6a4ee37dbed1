import { execFile } from "node:child_process";
import type { AlertmanagerProcess } from "../alertmanager-process.ts";
import { AMTOOL_COMMANDS } from "./amtool-cases.ts";

export type AmtoolDifference = { readonly command: string; readonly theirs: string; readonly ours: string };

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| UTC)?/g;
const OWN_FIELDS = /"(uptime|revision|branch|goVersion|buildDate|buildUser|version)":"[^"]*"/g;
const WORD = /'[^']*'|[^\s']+/g;

/** Runs `amtool` in `dir` against both, and gives commands after which it says different things. */
export async function compareAmtool(
  amtool: string,
  dir: string,
  theirs: AlertmanagerProcess,
  ours: AlertmanagerProcess,
): Promise<readonly AmtoolDifference[]> {
  const ids: readonly [string[], string[]] = [[], []];
  const differences: AmtoolDifference[] = [];
  for (const command of AMTOOL_COMMANDS) {
    const words = (command.match(WORD) ?? []).map((word) => word.replaceAll("'", ""));
    const [a, b] = await Promise.all([run(amtool, dir, theirs, words, ids[0]), run(amtool, dir, ours, words, ids[1])]);
    if (a !== b) differences.push({ command, theirs: a, ours: b });
  }
  return differences;
}

async function run(amtool: string, dir: string, server: AlertmanagerProcess, words: readonly string[], ids: string[]) {
  const known = words.map((word) => word.replace(/^ID(\d+)$/, (_, n) => ids[Number(n)] ?? "none"));
  const output = await new Promise<string>((resolve) => {
    // Its own settings are looked for at home.
    const options = { cwd: dir, env: { ...process.env, HOME: dir, USER: "me" } };
    execFile(amtool, [`--alertmanager.url=${server.url}`, ...known], options, (error, stdout, stderr) =>
      resolve(`${stdout}\n${stderr}\n${error?.code ?? 0}`),
    );
  });
  for (const [id] of output.matchAll(UUID)) if (!ids.includes(id)) ids.push(id);
  const named = ids.reduce((text, id, i) => text.replaceAll(id, `ID${i}`), output);
  return named
    .replaceAll(server.url.replace("http://", ""), "HOST")
    .replace(TIME, "TIME")
    .replace(OWN_FIELDS, '"$1":""')
    .replace(/ +/g, " ");
}
