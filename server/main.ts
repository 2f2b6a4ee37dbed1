import { enableCompileCache } from "node:module";

// DuckDB's and zlib's work on libuv's threads must not make the write-ahead log's fsync wait. Read when the pool is first used.
process.env.UV_THREADPOOL_SIZE ??= "16";
// Before anything else is imported: a second start then skips parsing (about 300 ms of it).
enableCompileCache();
await import("./v8-flags.ts");
const { relaunchWithinMemory } = await import("./memory/relaunch.ts");
await relaunchWithinMemory(process.argv.slice(2));
const { runCommandLine } = await import("./command-line.ts");
process.exitCode = await runCommandLine(process.argv.slice(2));
