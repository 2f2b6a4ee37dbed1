import { type SpawnOptions, spawn } from "node:child_process";

/** The code is null when a signal ended it. */
export type ProgramResult = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Runs a program, without input, to its end. Throws when it can't be started. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: Omit<SpawnOptions, "stdio"> = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout?.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}
