import { type ChildProcess, spawn } from "node:child_process";
import { setPriority } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { LoadLedger, LoadPlan, LoadProgress } from "./load-plan.ts";

const SCRIPT = fileURLToPath(new URL("load-process.ts", import.meta.url));

/** As clients on machines of their own, it must not be what the server waits for. What is sent stays the same. */
const NICENESS = 10;

/** The load process, from outside. */
export class Load {
  readonly #child: ChildProcess;
  readonly #ledger: Promise<LoadLedger>;
  progress: LoadProgress | undefined;

  constructor(plan: LoadPlan) {
    const child = spawn(process.execPath, [SCRIPT, JSON.stringify(plan)], { stdio: ["pipe", "pipe", "inherit"] });
    this.#child = child;
    if (child.pid !== undefined) setPriority(child.pid, NICENESS);
    this.#ledger = new Promise((resolve, reject) => {
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
        const said = JSON.parse(line) as LoadProgress | { readonly ledger: LoadLedger };
        if ("ledger" in said) resolve(said.ledger);
        else this.progress = said;
      });
      child.once("exit", (code) => reject(new Error(`the load process ended with ${code} before it was asked to`)));
    });
    // Whoever waits for it is told; until then it is nobody's failure.
    this.#ledger.catch(() => {});
  }

  async stop(): Promise<LoadLedger> {
    this.#child.stdin?.write("stop\n");
    return this.#ledger;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
