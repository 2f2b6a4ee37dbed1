import { connect, type Socket } from "node:net";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import type { TargetGuard } from "../http/target-guard.ts";
import type { TlsOptions } from "../http/tls-options.ts";
import type { HostPort } from "./email-config.ts";

/** The server did not take the mail; another attempt may succeed. */
export class SmtpError extends Error {
  override readonly name = "SmtpError";
}

export type SmtpCredentials = {
  readonly user: string;
  readonly password: string;
  /** For CRAM-MD5. */
  readonly secret: string;
  /** On whose behalf, for PLAIN. */
  readonly identity: string;
};
export type SmtpOptions = {
  readonly server: HostPort;
  /** What the client calls itself. */
  readonly hello: string;
  /** implicit: from the first byte; required: STARTTLS or nothing; none: never. */
  readonly tlsMode: "implicit" | "required" | "none";
  readonly tls: TlsOptions;
  readonly credentials: SmtpCredentials | undefined;
  readonly guard: TargetGuard;
  readonly timeoutMs: number;
};
export type Envelope = { readonly from: string; readonly to: string[] };
export type SmtpAnswer = { readonly response: string; readonly rejected: readonly string[] };

/**
 * Sends one mail over a connection of its own. Rejects with {@link SmtpError}, `RefusedTargetError`, or the reason of `signal`.
 */
export async function sendMail(
  options: SmtpOptions,
  envelope: Envelope,
  message: Buffer,
  signal: AbortSignal,
): Promise<SmtpAnswer> {
  const { server, guard, tls, timeoutMs } = options;
  guard.checkHost(server.host);
  const socket = await openSocket(options, signal);
  const connection = new SMTPConnection({
    connection: socket,
    host: server.host,
    port: Number(server.port),
    name: options.hello,
    secure: options.tlsMode === "implicit",
    requireTLS: options.tlsMode === "required",
    ignoreTLS: options.tlsMode === "none",
    tls: { ...tls, servername: tls.servername ?? server.host },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    ...(options.credentials?.identity ? { customAuth: { PLAIN: plainWithIdentity(options.credentials) } } : {}),
  } as ConstructorParameters<typeof SMTPConnection>[0]);
  // An error after the conversation has ended is nobody's business; without a listener it would end the process.
  socket.on("error", () => {});
  connection.on("error", () => {});
  const close = () => connection.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    return await converse(connection, options, envelope, message);
  } catch (cause) {
    signal.throwIfAborted();
    throw cause instanceof SmtpError ? cause : new SmtpError(`SMTP: ${(cause as Error).message}`, { cause });
  } finally {
    signal.removeEventListener("abort", close);
    connection.close();
  }
}

function openSocket({ server, guard, timeoutMs }: SmtpOptions, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const socket = connect({ host: server.host, port: portNumber(server.port), lookup: guard.lookup as never });
    const give = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    const abort = () => give(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    socket.setTimeout(timeoutMs, () => give(new SmtpError("establish connection to server: timed out")));
    socket.once("error", (cause: NodeJS.ErrnoException) => {
      signal.removeEventListener("abort", abort);
      const isRefusal = cause.name === "RefusedTargetError";
      give(
        isRefusal ? cause : new SmtpError(`establish connection to server: ${cause.code ?? cause.message}`, { cause }),
      );
    });
    socket.once("connect", () => {
      signal.removeEventListener("abort", abort);
      socket.setTimeout(0);
      socket.removeAllListeners("error").removeAllListeners("timeout");
      resolve(socket);
    });
  });
}

function portNumber(port: string): number {
  const number = Number(port);
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  throw new SmtpError(`${JSON.stringify(port)} is no port of a mail server`);
}

async function converse(
  connection: SMTPConnection,
  { credentials }: SmtpOptions,
  envelope: Envelope,
  message: Buffer,
): Promise<SmtpAnswer> {
  await new Promise<void>((resolve, reject) => {
    connection.once("error", reject);
    connection.once("end", () => reject(new Error("the server closed the connection")));
    connection.connect((error?: Error | null) => (error ? reject(error) : resolve()));
  });
  const failure = new Promise<never>((_, reject) => {
    connection.once("error", reject);
    connection.once("end", () => reject(new Error("the server closed the connection")));
  });
  failure.catch(() => {});
  if (credentials && connection.allowsAuth) await Promise.race([failure, login(connection, credentials)]);
  const sent = new Promise<SmtpAnswer>((resolve, reject) => {
    connection.send(envelope, message, (error, info) => {
      if (error) reject(error);
      else resolve({ response: info?.response ?? "", rejected: info?.rejected ?? [] });
    });
  });
  const answer = await Promise.race([failure, sent]);
  connection.quit();
  return answer;
}

/** By the first mechanism that the server names and for which there is a secret, as Alertmanager chooses. */
function login(connection: SMTPConnection, credentials: SmtpCredentials): Promise<void> {
  const greeting = String(connection.lastServerResponse ?? "");
  const offered = /^250[ -]AUTH[ =](.*)$/im.exec(greeting)?.[1]?.trim().split(/\s+/) ?? [];
  const method = offered.find(
    (name) =>
      (name === "CRAM-MD5" ? credentials.secret : credentials.password) !== "" && /^(CRAM-MD5|PLAIN|LOGIN)$/.test(name),
  );
  if (!method) throw new SmtpError(`find auth mechanism: no secret for any of ${offered.join(", ") || "none"}`);
  const pass = method === "CRAM-MD5" ? credentials.secret : credentials.password;
  return new Promise((resolve, reject) => {
    connection.login({ method, credentials: { user: credentials.user, pass } }, (error) =>
      error ? reject(new SmtpError(`${method} auth: ${error.message}`, { cause: error })) : resolve(),
    );
  });
}

/** RFC 4616: who it is for, who it is, and the password. */
function plainWithIdentity({ identity, user, password }: SmtpCredentials) {
  return async (context: { sendCommand(command: string): Promise<{ status: number; response: string }> }) => {
    const text = Buffer.from(`${identity}\0${user}\0${password}`).toString("base64");
    const { status, response } = await context.sendCommand(`AUTH PLAIN ${text}`);
    if (status < 200 || status >= 300) throw new Error(response);
  };
}
