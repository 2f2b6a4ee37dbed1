import { generateKeyPairSync, verify } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createSecureServer } from "node:http2";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ReceiverSecrets } from "../receiver-secrets.ts";
import { NEVER } from "../testing/notifier-fixture.ts";
import { Vendor } from "../testing/vendor.ts";
import { httpConfig } from "./http-config.ts";
import { HttpSender, SendError } from "./http-sender.ts";
import { TargetGuard, type TargetGuardOptions } from "./target-guard.ts";

const fixture = (name: string) => readFileSync(new URL(`../testing/tls/${name}`, import.meta.url), "utf8");
const CA = fixture("ca.pem");
const SERVER = { key: fixture("localhost-key.pem"), cert: fixture("localhost.pem") };

let vendor: Vendor;
let other: Vendor;
beforeAll(async () => {
  vendor = await Vendor.start();
  other = await Vendor.start();
});
beforeEach(() => {
  for (const one of [vendor, other]) {
    one.requests.length = 0;
    one.answers({});
  }
});
afterAll(() => Promise.all([vendor.stop(), other.stop()]));

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function senderOf(config: object, guard: Partial<TargetGuardOptions> = {}, dir = "/nowhere", maxResponseBytes = 1_000) {
  const sender = new HttpSender({
    config: httpConfig.parse(config),
    guard: new TargetGuard({ allowPrivateTargets: true, allowedHosts: [], ...guard }),
    secrets: new ReceiverSecrets(dir),
    maxResponseBytes,
    timeoutMs: 60_000,
  });
  closers.push(() => sender.close());
  return sender;
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections?.();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

describe("who is asking", () => {
  test.each([
    [{ basic_auth: { username: "u", password: "p" } }, `Basic ${Buffer.from("u:p").toString("base64")}`],
    [{ authorization: { credentials: "t" } }, "Bearer t"],
    [{ authorization: { type: "Token", credentials: "t" } }, "Token t"],
    [{ bearer_token: "t" }, "Bearer t"],
    [{}, undefined],
  ])("%j", async (config, header) => {
    await senderOf(config).send({ url: vendor.url }, NEVER);
    expect(vendor.requests[0]?.headers.authorization).toBe(header);
  });

  test("secrets in files are read for each request", async () => {
    const dir = await mkdtemp(join(tmpdir(), "sender-"));
    const sender = senderOf({ basic_auth: { username: "u", password_file: "password" } }, {}, dir);
    for (const password of ["one", "two"]) {
      writeFileSync(join(dir, "password"), `${password}\n`);
      await sender.send({ url: vendor.url }, NEVER);
    }
    const given = vendor.requests.map(({ headers }) =>
      Buffer.from(headers.authorization?.slice(6) ?? "", "base64").toString(),
    );
    expect(given).toEqual(["u:one", "u:two"]);
  });

  test("a header that the request has itself wins", async () => {
    await senderOf({ bearer_token: "t" }).send({ url: vendor.url, headers: { authorization: "GenieKey g" } }, NEVER);
    expect(vendor.requests[0]?.headers.authorization).toBe("GenieKey g");
  });

  test("headers of one's own, and a name and password in the address", async () => {
    const url = vendor.url.replace("//", "//u:p%20w@");
    await senderOf({ http_headers: { "X-Scope": { values: ["a"], secrets: ["b"] } } }).send({ url }, NEVER);
    expect(vendor.requests[0]?.headers).toMatchObject({
      "x-scope": "a, b",
      authorization: `Basic ${Buffer.from("u:p w").toString("base64")}`,
    });
  });
});

describe("oauth2", () => {
  const config = (extra: object = {}) => ({
    oauth2: { client_id: "c", client_secret: "s3cret", token_url: `${other.url}/token`, scopes: ["a", "b"], ...extra },
  });
  const TOKEN = { body: { access_token: "t0k", token_type: "bearer", expires_in: 3600 } };

  test("a token is asked for once and used until it ends", async () => {
    other.answers(TOKEN);
    const sender = senderOf(config({ endpoint_params: { audience: "x" } }));
    await sender.send({ url: vendor.url }, NEVER);
    await sender.send({ url: vendor.url }, NEVER);
    expect(vendor.requests.map(({ headers }) => headers.authorization)).toEqual(["Bearer t0k", "Bearer t0k"]);
    expect(other.requests).toHaveLength(1);
    expect(other.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from("c:s3cret").toString("base64")}`);
    expect(Object.fromEntries(new URLSearchParams(other.requests[0]?.body))).toEqual({
      audience: "x",
      scope: "a b",
      grant_type: "client_credentials",
    });
  });

  test("a server that wants the client in the form gets it there", async () => {
    other.answers((request) => (request.body.includes("client_secret=s3cret") ? TOKEN : { status: 401 }));
    await senderOf(config()).send({ url: vendor.url }, NEVER);
    expect(vendor.requests[0]?.headers.authorization).toBe("Bearer t0k");
  });

  test("a token that is about to end is asked for again", async () => {
    other.answers({ body: { access_token: "t", expires_in: 5 } });
    const sender = senderOf(config());
    await sender.send({ url: vendor.url }, NEVER);
    await sender.send({ url: vendor.url }, NEVER);
    expect(other.requests).toHaveLength(2);
  });

  test("a client may prove itself by a signature", async () => {
    other.answers(TOKEN);
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = privateKey.export({ type: "pkcs8", format: "pem" });
    const grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    const oauth2 = {
      client_id: "c",
      token_url: `${other.url}/token`,
      grant_type: grant,
      client_certificate_key: key,
      claims: { k: 1 },
    };
    await senderOf({ oauth2 }).send({ url: vendor.url }, NEVER);
    const assertion = new URLSearchParams(other.requests[0]?.body).get("assertion") ?? "";
    const [header = "", claims = "", signature = ""] = assertion.split(".");
    expect(JSON.parse(Buffer.from(claims, "base64url").toString())).toMatchObject({
      iss: "c",
      aud: `${other.url}/token`,
      k: 1,
    });
    const isRight = verify(
      "RSA-SHA256",
      Buffer.from(`${header}.${claims}`),
      publicKey,
      Buffer.from(signature, "base64url"),
    );
    expect(isRight).toBe(true);
  });

  test("no token, no request", async () => {
    other.answers({ status: 400, body: '{"error":"invalid_client"} s3cret' });
    const sent = senderOf(config()).send({ url: vendor.url }, NEVER);
    await expect(sent).rejects.toThrow('oauth2: cannot fetch token: status 400: {"error":"invalid_client"} <secret>');
    expect(vendor.requests).toEqual([]);
  });
});

describe("redirects", () => {
  const to = (status: number, location: string) => vendor.answers({ status, headers: { location } });
  const post = (config: object = {}, guard: Partial<TargetGuardOptions> = {}) =>
    senderOf({ bearer_token: "t", http_headers: { "X-Key": { values: ["k"] } }, ...config }, guard).send(
      { url: vendor.url, headers: { "content-type": "text/plain", "x-auth-token": "a" }, body: "hello" },
      NEVER,
    );

  test.each([
    [307, "POST", "hello"],
    [308, "POST", "hello"],
    [302, "GET", ""],
    [303, "GET", ""],
  ])("status %i", async (status, method, body) => {
    to(status, `${other.url}/next`);
    await expect(post()).resolves.toMatchObject({ status: 200 });
    expect(other.requests[0]).toMatchObject({ method, path: "/next", body });
  });

  test("another host is told no secrets", async () => {
    to(307, other.url);
    await post();
    expect(vendor.requests[0]?.headers).toMatchObject({ authorization: "Bearer t", "x-key": "k", "x-auth-token": "a" });
    for (const name of ["authorization", "x-key", "x-auth-token"])
      expect(other.requests[0]?.headers).not.toHaveProperty(name);
  });

  test("they are not followed where that is not wanted", async () => {
    to(307, other.url);
    await expect(post({ follow_redirects: false })).resolves.toMatchObject({ status: 307 });
    expect(other.requests).toEqual([]);
  });

  test.each([
    ["http://169.254.169.254/latest/meta-data", "169.254.169.254 is refused as a target", false],
    ["file:///etc/passwd", "redirected to an address of the unsupported scheme file:", true],
    ["http://[", "redirected to what is no address", true],
  ])("to %s", async (location, problem, retry) => {
    to(302, location);
    const error = await post().catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(SendError);
    expect(error).toMatchObject({ retry, message: expect.stringContaining(problem) });
  });

  test("a circle has an end", async () => {
    to(307, "/again");
    await expect(post()).rejects.toThrow("stopped after 10 redirects");
  });

  test("into a private network, which the first address was not in", async () => {
    // The first is allowed by name; where it leads is not.
    to(307, `http://127.0.0.1:${new URL(other.url).port}`);
    const sender = senderOf({}, { allowPrivateTargets: false, allowedHosts: ["localhost"] });
    const sent = sender.send({ url: vendor.url.replace("127.0.0.1", "localhost") }, NEVER);
    await expect(sent).rejects.toThrow("127.0.0.1 is in a private network");
    expect(other.requests).toEqual([]);
  });
});

test("a name that leads into a private network is not connected to", async () => {
  const sender = senderOf({}, { allowPrivateTargets: false });
  const sent = sender.send({ url: vendor.url.replace("127.0.0.1", "localhost") }, NEVER);
  await expect(sent).rejects.toMatchObject({
    retry: false,
    message: expect.stringContaining("is in a private network"),
  });
  expect(vendor.requests).toEqual([]);
});

test("an answer is read to a bound", async () => {
  vendor.answers({ body: "x".repeat(1_000_000) });
  const { body } = await senderOf({}).send({ url: vendor.url }, NEVER);
  expect(body).toHaveLength(1_000);
});

describe("proxies", () => {
  /** A proxy that hands requests on, and tunnels. */
  async function proxy() {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers["proxy-authorization"] ?? ""}`.trim());
      response.end("by proxy");
    });
    server.on("connect", (request, socket, head) => {
      seen.push(`CONNECT ${request.url} ${request.headers["x-tunnel"] ?? ""}`.trim());
      const [, port] = (request.url ?? "").split(":");
      const target = connect(Number(port), "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        target.write(head);
        target.pipe(socket).pipe(target);
      });
      target.on("error", () => socket.destroy());
      socket.on("error", () => target.destroy());
    });
    return { seen, port: await listening(server) };
  }

  test("plain requests are handed to it", async () => {
    const { seen, port } = await proxy();
    const sender = senderOf({ proxy_url: `http://u:p@127.0.0.1:${port}` });
    await expect(sender.send({ url: "http://hooks.example/x" }, NEVER)).resolves.toMatchObject({ body: "by proxy" });
    expect(seen).toEqual([`POST http://hooks.example/x Basic ${Buffer.from("u:p").toString("base64")}`]);
  });

  test("encrypted ones go through a tunnel", async () => {
    const { seen, port } = await proxy();
    const tlsPort = await listening(createTlsServer(SERVER, (_, response) => response.end("secure")));
    const config = {
      proxy_url: `http://127.0.0.1:${port}`,
      proxy_connect_header: { "X-Tunnel": ["t"] },
      tls_config: { ca: CA },
    };
    const answer = await senderOf(config).send({ url: `https://hooks.example:${tlsPort}/x` }, NEVER);
    expect(answer.body).toBe("secure");
    expect(seen).toEqual([`CONNECT hooks.example:${tlsPort} t`]);
  });

  test("it may not be a way around what is refused", async () => {
    const { seen, port } = await proxy();
    const sender = senderOf({ proxy_url: `http://127.0.0.1:${port}` });
    await expect(sender.send({ url: "http://169.254.169.254/" }, NEVER)).rejects.toThrow("is refused as a target");
    expect(seen).toEqual([]);
  });
});

describe("TLS", () => {
  const serve = (options: object = {}) =>
    listening(
      createTlsServer({ ...SERVER, ...options }, (request, response) => {
        const { subject } = (request.socket as import("node:tls").TLSSocket).getPeerCertificate();
        response.end(String(subject?.CN ?? "nobody"));
      }),
    );

  test("a certificate that nobody vouches for is not taken", async () => {
    const url = `https://localhost:${await serve()}`;
    await expect(senderOf({}).send({ url }, NEVER)).rejects.toMatchObject({ retry: true });
    await expect(senderOf({ tls_config: { ca: CA } }).send({ url }, NEVER)).resolves.toMatchObject({ status: 200 });
    await expect(senderOf({ tls_config: { insecure_skip_verify: true } }).send({ url }, NEVER)).resolves.toMatchObject({
      status: 200,
    });
  });

  test("its name is that of the address, or the one that is configured", async () => {
    const url = `https://127.0.0.1:${await serve()}`;
    const named = (server_name: string) => senderOf({ tls_config: { ca: CA, server_name } }).send({ url }, NEVER);
    await expect(named("hooks.example")).resolves.toMatchObject({ status: 200 });
    await expect(named("other.example")).rejects.toThrow("ERR_TLS_CERT_ALTNAME_INVALID");
  });

  test("a client has a certificate, too", async () => {
    const url = `https://localhost:${await serve({ requestCert: true, ca: CA, rejectUnauthorized: true })}`;
    const dir = await mkdtemp(join(tmpdir(), "sender-"));
    for (const name of ["client.pem", "client-key.pem", "ca.pem"]) writeFileSync(join(dir, name), fixture(name));
    const tls_config = { ca_file: "ca.pem", cert_file: "client.pem", key_file: "client-key.pem" };
    await expect(senderOf({ tls_config }, {}, dir).send({ url }, NEVER)).resolves.toMatchObject({ body: "client" });
    await expect(senderOf({ tls_config: { ca: CA } }).send({ url }, NEVER)).rejects.toBeInstanceOf(SendError);
  });

  test.each([
    [true, "2.0"],
    [false, "1.1"],
  ])("enable_http2 %s", async (enabled, version) => {
    const server = createSecureServer({ ...SERVER, allowHTTP1: true }, (request, response) =>
      response.end(request.httpVersion),
    );
    const port = await listening(server as unknown as Server);
    const sender = senderOf({ enable_http2: enabled, tls_config: { ca: CA } });
    await expect(sender.send({ url: `https://localhost:${port}`, body: "x" }, NEVER)).resolves.toMatchObject({
      body: version,
    });
    await sender.close();
  });
});
