// Installs the workspace when it is missing or older than the lock file, with nothing but Node 20 and npm.
// Runs under whatever Node called npm; everything after it runs under the Node of devDependencies.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PNPM = "pnpm@12.21.0";
const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stamp = join(root, "node_modules", ".sightline-installed");
const wanted = createHash("sha256")
  .update(readFileSync(join(root, "pnpm-lock.yaml")))
  .digest("hex");
const installed = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";

if (installed !== wanted) {
  process.stderr.write("sightline: installing dependencies (once; about a minute on a new machine)\n");
  // Progress goes to standard error: standard output belongs to the program that runs next.
  const result = spawnSync("npx", ["--yes", PNPM, "install", "--frozen-lockfile", "--reporter=append-only"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (result.status !== 0) {
    process.stderr.write("sightline: the installation failed; see the messages above, then run the command again\n");
    process.exit(result.status ?? 1);
  }
  writeFileSync(stamp, wanted);
}
