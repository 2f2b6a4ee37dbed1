/** Type check of every package, then lint and format check. Prints what fails and exits with 1. `--fix` formats. */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { dirname } from "node:path";

const fix = process.argv.includes("--fix");
const projects = [".", ...globSync(["*/tsconfig.json", "storage/*/tsconfig.json"]).map(dirname).sort()];
let failed = 0;

function run(title: string, command: string, args: readonly string[]): void {
  const began = performance.now();
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  if (status !== 0) failed++;
  process.stdout.write(
    `${status === 0 ? "ok    " : "FAILED"} ${title} (${Math.round(performance.now() - began)} ms)\n`,
  );
}

for (const project of projects) run(`types ${project}`, "tsc", ["-p", project]);
run("lint and format", "biome", fix ? ["check", "--write", "."] : ["check", "--error-on-warnings", "."]);
process.exit(failed === 0 ? 0 : 1);
