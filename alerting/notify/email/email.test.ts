import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { afterEach, describe, expect, test } from "vitest";
import { DEFAULT_GLOBAL_RECEIVER_CONFIG } from "../global-receiver-config.ts";
import { TargetGuard } from "../http/target-guard.ts";
import {
  FIRING,
  GROUP_HASH,
  NEVER,
  notificationOf,
  notifierOf,
  problemOf,
  RESOLVED,
  testContext,
} from "../testing/notifier-fixture.ts";
import { email } from "./email.ts";

const fixture = (name: string) => readFileSync(new URL(`../testing/tls/${name}`, import.meta.url), "utf8");
const CA = fixture("ca.pem");
const CERTIFICATE = { key: fixture("localhost-key.pem"), cert: fixture("localhost.pem") };

type Mail = {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
  readonly isSecure: boolean;
};

const servers: SMTPServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise<void>((resolve) => server.close(resolve))));
});

/** A mail server that keeps what it is sent. */
async function mailServer(options: SMTPServerOptions = {}) {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    ...CERTIFICATE,
    authOptional: true,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text: Buffer.concat(chunks).toString("utf8"),
          isSecure: session.secure,
        });
        done();
      });
    },
    ...options,
  });
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push(server);
  return { mails, smarthost: `localhost:${(server.server.address() as AddressInfo).port}` };
}

const PLAIN_SERVER: SMTPServerOptions = { disabledCommands: ["STARTTLS"], allowInsecureAuth: true };
const ENTRY = { to: "ops@x.example", from: "am@x.example", require_tls: false };

const send = (entry: object, alerts = [FIRING], context = testContext()) =>
  notifierOf(email, { ...ENTRY, ...entry }, context).notify(notificationOf(alerts), NEVER);

test("a mail has a subject, a text and a page", async () => {
  const { mails, smarthost } = await mailServer(PLAIN_SERVER);
  const entry = {
    smarthost,
    to: 'ops@x.example, "B" <b@x.example>',
    text: "plain {{ .Status }}",
    headers: { "x-team": "{{ .Receiver }}" },
  };
  await expect(send(entry)).resolves.toMatchObject({ ok: true });
  expect(mails[0]).toMatchObject({ from: "am@x.example", to: ["ops@x.example", "b@x.example"], isSecure: false });
  const text = mails[0]?.text ?? "";
  expect(text).toContain("Subject: [FIRING:1] Down (a critical)\r\n");
  expect(text).toMatch(/^To: ops@x\.example, B <b@x\.example>\r$/m);
  expect(text).toMatch(/^X-Team: team-X\r$/im);
  expect(text).toMatch(/^Message-ID: <\S+@\S+>\r$/im);
  expect(text).toContain("Content-Type: multipart/alternative");
  expect(text).toContain("plain firing");
  expect(text).toContain("it is &lt;down&gt; &amp; out");
});

test("what templates say makes no headers of its own", async () => {
  const { mails, smarthost } = await mailServer(PLAIN_SERVER);
  await send({ smarthost, headers: { Subject: "a\r\nBcc: evil@x.example\r\n\r\nbody" } });
  expect(mails[0]?.to).toEqual(["ops@x.example"]);
  expect(mails[0]?.text).not.toMatch(/^Bcc:/m);
});

test("mails about one group are one thread", async () => {
  const { mails, smarthost } = await mailServer(PLAIN_SERVER);
  await send({ smarthost, threading: { enabled: true, thread_by_date: "none" } });
  const root = `<alert-${GROUP_HASH.slice(0, 16)}-@alertmanager>`;
  expect(mails[0]?.text).toContain(`References: ${root}\r\n`);
  expect(mails[0]?.text).toContain(`In-Reply-To: ${root}\r\n`);
});

describe("encryption", () => {
  const tls_config = { ca: CA };

  test("STARTTLS is wanted by default", async () => {
    const { mails, smarthost } = await mailServer();
    await expect(send({ smarthost, require_tls: true, tls_config })).resolves.toMatchObject({ ok: true });
    expect(mails[0]?.isSecure).toBe(true);
  });

  test("a server without it is sent nothing", async () => {
    const { mails, smarthost } = await mailServer(PLAIN_SERVER);
    await expect(send({ smarthost, require_tls: true, tls_config })).resolves.toMatchObject({ ok: false, retry: true });
    expect(mails).toEqual([]);
  });

  test("a certificate that nobody vouches for is not taken, unless told so", async () => {
    const { mails, smarthost } = await mailServer();
    const result = await send({ smarthost, require_tls: true });
    expect(result).toMatchObject({ ok: false, retry: true });
    expect(mails).toEqual([]);
    const trusting = { smarthost, require_tls: true, tls_config: { insecure_skip_verify: true } };
    await expect(send(trusting)).resolves.toMatchObject({ ok: true });
  });

  test("it can be there from the first byte", async () => {
    const { mails, smarthost } = await mailServer({ secure: true });
    await expect(send({ smarthost, force_implicit_tls: true, tls_config })).resolves.toMatchObject({ ok: true });
    expect(mails[0]?.isSecure).toBe(true);
  });
});

describe("authentication", () => {
  const onAuth: SMTPServerOptions["onAuth"] = (auth, _session, done) => {
    const isRight =
      auth.username === "u" &&
      (auth.method === "CRAM-MD5" ? auth.validatePassword("s3cret-word") : auth.password === "p4ssword");
    done(isRight ? null : new Error("no"), isRight ? { user: "u" } : undefined);
  };
  const credentials = { auth_username: "u", auth_password: "p4ssword", auth_secret: "s3cret-word" };

  test.each(["PLAIN", "LOGIN", "CRAM-MD5"])("%s", async (method) => {
    const { mails, smarthost } = await mailServer({
      ...PLAIN_SERVER,
      authOptional: false,
      authMethods: [method],
      onAuth,
    });
    await expect(send({ smarthost, ...credentials })).resolves.toMatchObject({ ok: true });
    expect(mails).toHaveLength(1);
  });

  test("a wrong password is told without it", async () => {
    const { mails, smarthost } = await mailServer({ ...PLAIN_SERVER, authOptional: false, onAuth });
    const result = await send({ smarthost, ...credentials, auth_password: "wr0ng-word" });
    expect(result).toMatchObject({ ok: false, retry: true });
    expect(result.detail).toMatch(/^(PLAIN|LOGIN) auth:/);
    expect(result.detail).not.toContain("wr0ng");
    expect(mails).toEqual([]);
  });
});

describe("failures", () => {
  test("a recipient who is refused does not keep the others from being told", async () => {
    const { mails, smarthost } = await mailServer({
      ...PLAIN_SERVER,
      onRcptTo: ({ address }, _session, done) => done(address.startsWith("nobody") ? new Error("no such user") : null),
    });
    const result = await send({ smarthost, to: "nobody@x.example, ops@x.example" });
    expect(result).toMatchObject({ ok: true });
    expect(result.detail).toContain("refused: nobody@x.example");
    expect(mails[0]?.to).toEqual(["ops@x.example"]);
    await expect(send({ smarthost, to: "nobody@x.example" })).resolves.toMatchObject({ ok: false, retry: true });
  });

  test("a server that can't take the mail now is asked again", async () => {
    const { smarthost } = await mailServer({
      ...PLAIN_SERVER,
      onData(stream, _session, done) {
        stream.resume();
        stream.on("end", () => done(Object.assign(new Error("try later"), { responseCode: 451 })));
      },
    });
    const result = await send({ smarthost });
    expect(result).toMatchObject({ ok: false, retry: true });
    expect(result.detail).toContain("try later");
  });

  test("nobody there", async () => {
    const { smarthost } = await mailServer(PLAIN_SERVER);
    await new Promise<void>((resolve) => servers.pop()?.close(resolve));
    const result = await send({ smarthost });
    expect(result).toMatchObject({ ok: false, retry: true });
    expect(result.detail).toContain("establish connection to server: ECONNREFUSED");
  });

  test("a private network may be out of bounds", async () => {
    const { mails, smarthost } = await mailServer(PLAIN_SERVER);
    const guard = new TargetGuard({ allowPrivateTargets: false, allowedHosts: [] });
    const result = await send({ smarthost }, [FIRING], testContext({ guard }));
    expect(result).toMatchObject({ ok: false, retry: false });
    expect(result.detail).toContain("is in a private network");
    expect(mails).toEqual([]);
  });

  test("a caller that stops is not kept waiting", async () => {
    const { smarthost } = await mailServer({ ...PLAIN_SERVER, onConnect: () => {} });
    const stop = new AbortController();
    const sent = notifierOf(email, { ...ENTRY, smarthost }).notify(notificationOf([RESOLVED]), stop.signal);
    stop.abort(new Error("shut down"));
    await expect(sent).rejects.toThrow("shut down");
  });

  test.each([
    [{ from: "a@x.example, b@x.example" }, "must be exactly one 'from' address (got: 2)"],
    [{ to: "{{ .CommonLabels.nope }}" }, "parse 'to' addresses: no address"],
    [{ to: "{{ .Nope }}" }, "execute 'to' template: template: "],
    [{ headers: { "X-A": "{{ .Nope }}" } }, 'execute "X-A" header template: template: '],
  ])("%j ends the notification", async (entry, detail) => {
    const result = await send({ smarthost: "localhost:1", ...entry });
    expect(result).toMatchObject({ ok: false, retry: false });
    expect(result.detail).toContain(detail);
  });
});

test.each([
  [{}, "missing to address in email config"],
  [{ to: "a@x" }, "no global SMTP smarthost set"],
  [{ to: "a@x", smarthost: "h:25" }, "no global SMTP from set"],
  [{ to: "a@x", smarthost: "h" }, "address h: missing port in address"],
  [{ to: "a@x", smarthost: "h:" }, 'address "h:": port cannot be empty'],
  [{ to: "a@x", headers: { subject: "a", Subject: "b" } }, 'duplicate header "Subject" in email config'],
  [
    { to: "a@x", threading: { enabled: true, thread_by_date: "daily" }, headers: { references: "x" } },
    "conflicting configuration: threading.enabled conflicts with custom References header",
  ],
  [{ to: "a@x", threading: { enabled: true } }, "threading.thread_by_date must be either 'none' or 'daily'"],
])("%j is refused: %s", (entry, problem) => expect(problemOf(email, entry)).toBe(problem));

test("what an entry does not say is taken from the globals", () => {
  const global = {
    ...DEFAULT_GLOBAL_RECEIVER_CONFIG,
    smtp_smarthost: "h:25",
    smtp_from: "g@x",
    smtp_require_tls: false,
  };
  expect(email.withGlobals(email.schema.parse({ to: "a@x" }), global)).toMatchObject({
    smarthost: "h:25",
    from: "g@x",
    hello: "localhost",
    require_tls: false,
  });
});
