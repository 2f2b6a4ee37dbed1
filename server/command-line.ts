import { parseArgs } from "node:util";
import { loadConfig } from "@sightline/config/load.ts";
import { SightlineError } from "@sightline/model/errors.ts";
import type { Invocation, Options } from "./command-options.ts";
import { withPromtoolFlags } from "./rules/promtool-flags.ts";
import { VERSION } from "./version.ts";

type Command = { readonly summary: string; readonly run: (invocation: Invocation) => Promise<number> };

/** Flags that set a configuration key, by flag name. */
const CONFIG_FLAGS: Readonly<Record<string, { key: string; value: string; text: string }>> = {
  "data-dir": { key: "data_dir", value: "DIR", text: "where everything is kept (default ./data)" },
  listen: { key: "listen", value: "HOST:PORT", text: "HTTP: every API and ingest path (default 127.0.0.1:4319)" },
  "otlp-grpc": { key: "otlp_grpc", value: "HOST:PORT", text: "OTLP over gRPC (default 127.0.0.1:4317)" },
  "otlp-http": { key: "otlp_http", value: "HOST:PORT", text: "OTLP over HTTP (default 127.0.0.1:4318)" },
  "memory-limit": { key: "memory_limit", value: "SIZE", text: "of the machine, as 60% or 4GiB (default 60%)" },
  target: {
    key: "target",
    value: "PARTS",
    text: "all, or of collector, query, alerting: collector,query (default all)",
  },
  "log-level": { key: "log.level", value: "LEVEL", text: "debug, info, warn or error (default info)" },
};

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ["serve", { summary: "run the server (what happens without a command)", run: serve }],
  ["keys", { summary: "create, list or revoke API keys, also while the server runs", run: keys }],
  ["migrate", { summary: "bring the tables of a PostgreSQL database up to date, or see what they are", run: migrate }],
  ["query", { summary: "ask a running server by PromQL", run: query }],
  ["dead-letters", { summary: "list or replay requests that a store refused for good", run: deadLetters }],
  ["backup", { summary: "copy everything to a directory or S3 while the server runs, and bring it back", run: backup }],
  ["export", { summary: "write all of a tenant to files, as NDJSON or Parquet", run: exportData }],
  ["rules", { summary: "check or test rule files as promtool does, or try them on what was", run: rules }],
  ["config", { summary: "print the default or the effective configuration", run: config }],
]);

/** Runs one command line; returns the exit code: 0 fine, 1 failed, 2 wrong usage. Errors go to standard error. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  // Its flags are Alertmanager's.
  if (args[0] === "alertmanager") {
    const { runAlertmanager } = await import("./alerting/alertmanager-command.ts");
    return orComplain(() => runAlertmanager(args.slice(1)));
  }
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return complain(`${(error as Error).message}\nTry: npm start -- --help`, 2);
  }
  const { values, positionals } = parsed;
  if (values.help === true) return say(help());
  if (values.version === true) return say(`sightline ${VERSION}\n`);
  const [name = "serve", ...words] = positionals;
  const command = COMMANDS.get(name);
  if (!command)
    return complain(`unknown command ${JSON.stringify(name)}; there are: ${[...COMMANDS.keys()].join(", ")}`, 2);
  return orComplain(() => command.run({ options: values as Options, words }));
}

async function orComplain(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof SightlineError) return complain(error.message, 1);
    throw error;
  }
}

/** Flags of commands that take a text, and those that take nothing. */
const TEXTS =
  "url key-file tenant scope expires name time start end step run lint junit alertmanager silences signal format".split(
    " ",
  );
const SWITCHES = ["json", "lint-fatal", "ignore-unknown-fields", "diff", "debug"];

function parse(args: readonly string[]) {
  const typed = (names: readonly string[], type: "string" | "boolean") =>
    Object.fromEntries(names.map((name) => [name, { type }]));
  return parseArgs({
    args: args[0] === "rules" ? withPromtoolFlags(args) : [...args],
    allowPositionals: true,
    options: {
      ...typed(["config", ...Object.keys(CONFIG_FLAGS), ...TEXTS], "string"),
      ...typed(SWITCHES, "boolean"),
      help: { type: "boolean", short: "h" },
      version: { type: "boolean" },
    },
  });
}

function help(): string {
  const row = (left: string, right: string) => `  ${left.padEnd(26)}${right}`;
  const flags = Object.entries(CONFIG_FLAGS).map(([flag, { value, text }]) => row(`--${flag} ${value}`, text));
  const commands = [...COMMANDS].map(([name, { summary }]) => row(name, summary));
  return [
    `sightline ${VERSION}: takes in metrics, logs and traces, keeps them, answers PromQL, LogQL and trace look-ups`,
    "",
    "usage: npm start -- [COMMAND] [FLAGS]",
    "",
    "Commands:",
    ...commands,
    "",
    row("keys create", "prints a new key, once: --tenant T --scope ingest,read [--expires 90d] [--name N]"),
    row("keys list", "whose they are, what they may do, when they were last used"),
    row("keys revoke ID…", "a running server notices within a second"),
    row(
      "query EXPR",
      "at --time T, or from --start T to --end T by --step 1m; T: now, 1h (ago), seconds, RFC 3339; --json",
    ),
    row("dead-letters list", "what was refused, when and why"),
    row(
      "dead-letters replay [ID…]",
      "send them again to a running server (--url, default http://127.0.0.1:4319; --key-file)",
    ),
    row(
      "backup create TARGET",
      "TARGET: a directory or s3://BUCKET/PREFIX; --url, --key-file as above; on the server's machine",
    ),
    row("backup list|verify|remove TARGET [ID…]", "verify: reads all of it again"),
    row("backup restore TARGET [ID]", "the newest one or ID, into --data-dir DIR, which must not be there yet"),
    row("export DIR", "--tenant T [--signal metrics,logs,traces] [--format ndjson|parquet] [--start 30d] [--end now]"),
    row("migrate status|up|down", "of every database in use; down takes the newest back, and its data with it"),
    row("alertmanager FLAGS", "nothing but an Alertmanager, by Alertmanager's flags: --config.file, --storage.path, …"),
    row(
      "rules check FILE…",
      "are they valid? and what looks wrong, with --url also to a server (--lint: then the exit code is 3)",
    ),
    row(
      "rules test FILE…",
      "unit tests in promtool's format; --run REGEX: only those whose name matches; --junit FILE",
    ),
    row(
      "rules backtest FILE…",
      "when they would have fired from --start 1d to --end now on --url; --alertmanager FILE [--silences server|FILE]: and who would have been told",
    ),
    row("rules slo FILE…", "rules that watch what OpenSLO definitions promise: recordings, and alerts by burn rate"),
    row(
      "rules packs [NAME…]",
      "rules that come with Sightline (alerting.rules.packs): which there are, or the files of these",
    ),
    row("config default|effective", "as YAML, with a comment per key | as it would be used"),
    "",
    "Flags:",
    row("--config FILE", "YAML file; every key: config/default.yaml"),
    ...flags,
    row("--version, --help", ""),
    "",
    "Each key of the file can be set as SIGHTLINE_KEY (nested: SIGHTLINE_LOG__LEVEL). Flags win over variables over the file.",
    "HOST:PORT with port 0 picks a free port. The line `sightline is ready: URL` on standard output says when it accepts traffic.",
    "",
  ].join("\n");
}

function loadFrom({ options }: Invocation) {
  const flags: Record<string, string> = {};
  for (const [flag, { key }] of Object.entries(CONFIG_FLAGS)) {
    const value = options[flag];
    if (typeof value === "string") flags[key] = value;
  }
  return loadConfig({ file: options.config as string | undefined, env: process.env, flags });
}

async function serve(invocation: Invocation): Promise<number> {
  const { runServer } = await import("./run-server.ts");
  return runServer(loadFrom(invocation));
}

async function rules(invocation: Invocation): Promise<number> {
  const { runRules } = await import("./rules/rules-command.ts");
  return runRules(invocation);
}

async function keys(invocation: Invocation): Promise<number> {
  const { runKeys } = await import("./keys-command.ts");
  return runKeys({ config: loadFrom(invocation), ...invocation });
}

async function migrate(invocation: Invocation): Promise<number> {
  const { runMigrate } = await import("./migrate-command.ts");
  return runMigrate(loadFrom(invocation), invocation.words);
}

async function query(invocation: Invocation): Promise<number> {
  const { runQuery } = await import("./query-command.ts");
  return runQuery(invocation);
}

async function deadLetters(invocation: Invocation): Promise<number> {
  const { runDeadLetters } = await import("./dead-letters-command.ts");
  return runDeadLetters(loadFrom(invocation), invocation);
}

async function backup(invocation: Invocation): Promise<number> {
  const { runBackup } = await import("./backup/backup-command.ts");
  return runBackup(invocation);
}

async function exportData(invocation: Invocation): Promise<number> {
  const { runExport } = await import("./export-command.ts");
  return runExport(invocation);
}

async function config(invocation: Invocation): Promise<number> {
  const [what] = invocation.words;
  if (what === "default") {
    const { renderDefaultYaml } = await import("@sightline/config/default-yaml.ts");
    return say(renderDefaultYaml());
  }
  if (what === "effective") {
    const { stringify } = await import("yaml");
    return say(stringify(loadFrom(invocation)));
  }
  return complain("usage: config default | config effective [FLAGS]", 2);
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

function complain(message: string, code: number): number {
  process.stderr.write(`sightline: ${message}\n`);
  return code;
}
