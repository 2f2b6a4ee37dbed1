import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that are small and take long come first, lest one process is left with them in the end; then those that took longest. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) =>
      /\/storage\/embedded\/.*-store\.test\.ts$|\/warm-up\//.test(moduleId);
    return (await super.sort(files)).sort((a, b) => Number(isLong(b)) - Number(isLong(a)));
  }
}

/**
 * `unit` needs nothing but the checkout; `e2e` starts the real process. Time limits are for what hangs, on machines that are
 * many times slower than usual.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["*/**/*.test.ts"],
          exclude: ["**/node_modules/**", "e2e/**"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Files share a process, so that each module is read once. No test changes what modules keep.
          isolate: false,
          // Node itself reads the files, as it reads those of the server: nothing is transformed.
          experimental: { viteModuleRunner: false, nodeLoader: false },
          // Half of the time tests wait for disks, timers and processes.
          maxWorkers: 2 * availableParallelism(),
          // Threads and processes that tests start compile nothing anew.
          env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules", ".cache", "compiled") },
        },
      },
      {
        test: {
          name: "e2e",
          include: ["e2e/**/*.test.ts"],
          // Databases are not everywhere, and slow to start: `npm run test:stores`.
          exclude: ["**/node_modules/**", "e2e/stores/**", "e2e/containers/**"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "stores",
          include: ["e2e/stores/**/*.test.ts"],
          globalSetup: "e2e/services/prepare.ts",
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "containers",
          // Skipped where there is no docker: `npm run test:containers`.
          include: ["e2e/containers/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
