import { join } from "node:path";
import { parseArgs } from "node:util";
import { registerAlertmanagerOperations } from "@sightline/alerting/alertmanager/api/operations.ts";
import { registerAlertmanagerApi } from "@sightline/alerting/alertmanager/api/routes.ts";
import { MatcherSyntax, type SyntaxMode } from "@sightline/alerting/alertmanager/matchers/matcher-syntax.ts";
import { alertmanagerSettings } from "@sightline/alerting/alertmanager/settings.ts";
import { parseGoDurationMs } from "@sightline/alerting/alertmanager/timing/duration.ts";
import { notifyConfig } from "@sightline/alerting/notify/config.ts";
import { authConfig } from "@sightline/auth/config.ts";
import { HeaderAuthenticator } from "@sightline/auth/header-authenticator.ts";
import { assertListenIsSafe } from "@sightline/auth/listen-guard.ts";
import { InvalidInputError } from "@sightline/model/errors.ts";
import { collectDefaultMetrics, Registry } from "prom-client";
import { HttpListener, splitHostPort } from "../http-listener.ts";
import { Logging } from "../logging.ts";
import { VERSION } from "../version.ts";
import { alertmanagerPart } from "./alertmanager-part.ts";

const text = { type: "string" as const };
const FLAGS = {
  "config.file": { ...text, default: "alertmanager.yml" },
  "storage.path": { ...text, default: "data/" },
  "data.retention": { ...text, default: "120h" },
  "dispatch.start-delay": { ...text, default: "0s" },
  "silences.max-silences": { ...text, default: "0" },
  "silences.max-silence-size-bytes": { ...text, default: "0" },
  "web.listen-address": { ...text, default: "127.0.0.1:9093" },
  "web.external-url": { ...text, default: "" },
  "web.route-prefix": text,
  "cluster.listen-address": { ...text, default: "" },
  "cluster.advertise-address": { ...text, default: "" },
  "cluster.peer": { ...text, multiple: true },
  "cluster.peer-timeout": { ...text, default: "15s" },
  "cluster.settle-timeout": { ...text, default: "1m" },
  "enable-feature": { ...text, default: "" },
  "log.level": { ...text, default: "info" },
  "log.format": { ...text, default: "logfmt" },
};

/** Runs nothing but an Alertmanager, by Alertmanager's flags, until it is told to stop. Gives the exit code. */
export async function runAlertmanager(args: readonly string[]): Promise<number> {
  let flags: ReturnType<typeof parse>;
  try {
    flags = parse(args);
  } catch (error) {
    process.stderr.write(`sightline: ${(error as Error).message}\n`);
    return 2;
  }
  const level = flags["log.level"];
  const logging = new Logging({
    level: level === "debug" || level === "warn" || level === "error" ? level : "info",
    levels: {},
    format: "text",
  });
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const listen = flags["web.listen-address"];
  const hostPort = listen.startsWith(":") ? `0.0.0.0${listen}` : listen;
  // As with Alertmanager's own flags there are no keys here: whoever reaches the address may do everything.
  assertListenIsSafe("web.listen-address", splitHostPort(hostPort).host, authConfig.parse({}));
  const settings = settingsOf(flags);
  const syntax = new MatcherSyntax(settings.matcher_syntax);
  const authenticator = new HeaderAuthenticator();
  const http = new HttpListener({ key: "web.listen-address", hostPort, logger: logging.for("server") });
  const part = alertmanagerPart({
    dir: join(flags["storage.path"], "alertmanager"),
    settings,
    notify: notifyConfig.parse({}),
    // Known once it listens, which it does after the configuration was read.
    externalUrl: () => settings.external_url || http.url,
    logger: logging.for("alerting"),
    registry,
  });
  const prefix = routePrefix(flags);
  const { alertmanagers } = part;
  registerAlertmanagerOperations(http.app, prefix, { alertmanagers, authenticator });
  registerAlertmanagerApi(http.app, [prefix], {
    alertmanagers,
    history: part.history,
    authenticator,
    syntax,
    logger: logging.for("alerting"),
    version: VERSION,
    maxBodyBytes: settings.max_body_bytes,
  });
  http.app.get(`${prefix}/metrics`, async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  for (const component of part.components) await component.start();
  await http.start();
  const { host } = new URL(http.url);
  process.stderr.write(`time=${new Date().toISOString()} level=INFO msg="Listening on" address=${host}\n`);
  process.on("SIGHUP", () => void alertmanagers.reload().catch(() => {}));
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
  await http.stop();
  for (const component of part.components.toReversed()) await component.stop();
  return 0;
}

function parse(args: readonly string[]) {
  const { values } = parseArgs({ args: [...args], options: FLAGS, allowPositionals: false });
  return values as Required<Omit<typeof values, "web.route-prefix" | "cluster.peer">> & typeof values;
}

function settingsOf(flags: ReturnType<typeof parse>) {
  return alertmanagerSettings.parse({
    config_file: flags["config.file"],
    external_url: flags["web.external-url"].replace(/\/+$/, ""),
    matcher_syntax: syntaxMode(flags["enable-feature"]),
    retention_ms: parseGoDurationMs(flags["data.retention"]),
    dispatch_delay_ms: parseGoDurationMs(flags["dispatch.start-delay"]),
    max_silences: Number(flags["silences.max-silences"]),
    max_silence_bytes: Number(flags["silences.max-silence-size-bytes"]),
    cluster: {
      listen: flags["cluster.listen-address"],
      advertise: flags["cluster.advertise-address"],
      peers: flags["cluster.peer"] ?? [],
      peer_timeout_ms: parseGoDurationMs(flags["cluster.peer-timeout"]),
      settle_timeout_ms: parseGoDurationMs(flags["cluster.settle-timeout"]),
    },
  });
}

function syntaxMode(features: string): SyntaxMode {
  const named = new Set(features.split(","));
  if (named.has("classic-mode")) return "classic";
  return named.has("utf8-strict-mode") ? "utf8" : "fallback";
}

/** Without a slash at its end: `/foo`, or nothing. That of the external address unless it is given. */
function routePrefix(flags: ReturnType<typeof parse>): string {
  const external = flags["web.external-url"];
  if (external !== "" && !URL.canParse(external)) {
    throw new InvalidInputError(`--web.external-url: ${JSON.stringify(external)} is no address`);
  }
  const prefix = flags["web.route-prefix"] ?? (external === "" ? "" : new URL(external).pathname);
  const path = prefix.replace(/^\/+|\/+$/g, "");
  return path === "" ? "" : `/${path}`;
}
