import { join } from "node:path";
import { defineConfig } from "vitest/config";

/**
 * `unit` needs nothing but the checkout; `e2e` starts the real process. Time limits are for what hangs, on machines that are
 * many times slower than usual.
 */
export default defineConfig({
  test: {
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
          // All cores; by default one is left alone, of two that is half.
          maxWorkers: "100%",
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
