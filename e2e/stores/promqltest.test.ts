import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runProgram } from "../harness/run-program.ts";
import { type DatabaseAddress, PostgresService } from "../services/postgres.ts";
import { MANY_STORES } from "./timescale-fixture.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Ours, and those of Prometheus where somebody has put them. */
const SCRIPTS = globSync(["query/promql/testdata/*.test", "../shared/promqltest/*.test"], { cwd: ROOT }).sort();

async function promqltest({ host, port, user, password, database }: DatabaseAddress): Promise<string> {
  const where = ["--host", host, "--port", String(port), "--user", user, "--database", database];
  const { stdout, stderr } = await runProgram(
    process.execPath,
    ["server/promqltest.ts", "--store", "timescale", ...where, ...SCRIPTS],
    { cwd: ROOT, env: { ...process.env, PGPASSWORD: password } },
  );
  return stdout + stderr;
}

const missing = PostgresService.missing();
describe.skipIf(missing !== undefined)("PromQL on plain PostgreSQL", () => {
  let service: PostgresService;
  beforeAll(async () => {
    service = await PostgresService.start(MANY_STORES);
  });
  afterAll(() => service.dispose());

  test("gives what the scripts say", { timeout: 1_800_000 }, async () => {
    const output = await promqltest(service.address);
    expect(output).toMatch(/^\d+ passed, 0 failed$/m);
  });
});
