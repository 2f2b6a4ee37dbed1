import { InvalidInputError } from "@sightline/model/errors.ts";
import addressparser from "nodemailer/lib/addressparser";
import { failed } from "../answer-check.ts";
import type { Attempt } from "../attempt.ts";
import type { GlobalReceiverConfig } from "../global-receiver-config.ts";
import { RefusedTargetError } from "../http/target-guard.ts";
import { tlsOptions } from "../http/tls-options.ts";
import { TemplatedNotifier } from "../http-notifier.ts";
import type { Integration, NotifierContext } from "../integration.ts";
import type { NotifyResult } from "../notifier.ts";
import { ReceiverSecrets } from "../receiver-secrets.ts";
import { rendered } from "../rendered.ts";
import { type EmailConfig, emailConfig, hostPortProblem, parseHostPort } from "./email-config.ts";
import { mailMessage } from "./mail-message.ts";
import { type SmtpCredentials, SmtpError, sendMail } from "./smtp-client.ts";

const IMPLICIT_TLS_PORT = "465";

/** Sends a mail by SMTP. */
export const email: Integration<EmailConfig> = {
  kind: "email",
  schema: emailConfig,
  withGlobals,
  create: (config, context) => {
    const secrets = new ReceiverSecrets(context.configDir);
    return new TemplatedNotifier({
      kind: "email",
      sendsResolved: config.send_resolved,
      context,
      secrets,
      run: (attempt) => send(config, context, attempt),
    });
  },
};

function withGlobals(config: EmailConfig, global: GlobalReceiverConfig): EmailConfig {
  const smarthost = config.smarthost ?? global.smtp_smarthost;
  if (!smarthost) throw new InvalidInputError("no global SMTP smarthost set");
  const problem = hostPortProblem(smarthost);
  if (problem) throw new InvalidInputError(problem);
  const from = config.from ?? global.smtp_from;
  if (!from) throw new InvalidInputError("no global SMTP from set");
  const hasPassword = config.auth_password ?? config.auth_password_file;
  const hasSecret = config.auth_secret ?? config.auth_secret_file;
  return {
    ...config,
    smarthost,
    from,
    hello: config.hello ?? global.smtp_hello,
    tls_config: config.tls_config ?? global.smtp_tls_config,
    auth_username: config.auth_username ?? global.smtp_auth_username,
    auth_password: hasPassword ? config.auth_password : global.smtp_auth_password,
    auth_password_file: hasPassword ? config.auth_password_file : global.smtp_auth_password_file,
    auth_secret: hasSecret ? config.auth_secret : global.smtp_auth_secret,
    auth_secret_file: hasSecret ? config.auth_secret_file : global.smtp_auth_secret_file,
    auth_identity: config.auth_identity ?? global.smtp_auth_identity,
    require_tls: config.require_tls ?? global.smtp_require_tls,
    force_implicit_tls: config.force_implicit_tls ?? global.smtp_force_implicit_tls,
  };
}

async function send(config: EmailConfig, context: NotifierContext, attempt: Attempt): Promise<NotifyResult> {
  const server = parseHostPort(config.smarthost ?? "");
  if (!server) return failed("no SMTP smarthost set");
  const from = rendered("execute 'from' template", () => attempt.text(config.from ?? ""));
  const to = rendered("execute 'to' template", () => attempt.text(config.to));
  const [senders, recipients] = [addresses(from), addresses(to)];
  if (senders.length !== 1) return failed(`must be exactly one 'from' address (got: ${senders.length})`);
  if (recipients.length === 0) return failed("parse 'to' addresses: no address");
  const isImplicit = config.force_implicit_tls ?? server.port === IMPLICIT_TLS_PORT;
  const message = await mailMessage(config, from, to, attempt);
  const options = {
    server,
    hello: config.hello ?? "localhost",
    tlsMode: isImplicit ? "implicit" : config.require_tls === false ? "none" : "required",
    tls: await tlsOptions(config.tls_config, attempt.secrets),
    credentials: await credentials(config, attempt.secrets),
    guard: context.guard,
    timeoutMs: context.config.request_timeout_ms,
  } as const;
  try {
    const envelope = { from: senders[0] as string, to: recipients };
    const { response, rejected } = await sendMail(options, envelope, message, attempt.signal);
    const refused = rejected.length === 0 ? "" : `; refused: ${rejected.join(", ")}`;
    return { ok: true, detail: `${response}${refused}` };
  } catch (error) {
    if (error instanceof SmtpError) return failed(error.message, true);
    if (!(error instanceof RefusedTargetError)) throw error;
    context.metrics.refused.inc({ integration: "email" });
    return failed(error.message);
  }
}

async function credentials(config: EmailConfig, secrets: ReceiverSecrets): Promise<SmtpCredentials | undefined> {
  if (!config.auth_username) return undefined;
  return {
    user: config.auth_username,
    password: await secrets.reveal(config.auth_password, config.auth_password_file),
    secret: await secrets.reveal(config.auth_secret, config.auth_secret_file),
    identity: config.auth_identity ?? "",
  };
}

/** Addresses alone, of `"Name" <a@b>, c@d`. */
function addresses(list: string): string[] {
  return addressparser(list, { flatten: true })
    .map(({ address }) => address ?? "")
    .filter((address) => address.includes("@"));
}
