import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect } from "node:tls";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Certificate, makeCertificate } from "./harness/certificates.ts";
import { eventually } from "./harness/eventually.ts";
import { call } from "./harness/http-call.ts";
import { GRPC_METHODS } from "./harness/otlp.ts";
import { patientMs } from "./harness/patience.ts";
import { runCommandLine, ServerProcess } from "./harness/server-process.ts";

const dir = mkdtempSync(join(tmpdir(), "sightline-tls-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const ca = makeCertificate("test CA");
const otherCa = makeCertificate("another CA");
const first = makeCertificate("first", ca);
const second = makeCertificate("second", ca);
const client = makeCertificate("client", ca);
const stranger = makeCertificate("stranger", otherCa);

/** Replaces a file in one step, as certificate tools do. */
function put(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
  return path;
}
const files = { cert: put("server.crt", first.certPem), key: put("server.key", first.keyPem) };
const env = { SIGHTLINE_TLS__CERT_FILE: files.cert, SIGHTLINE_TLS__KEY_FILE: files.key };

/** Calls over connections of their own, so that each one shakes hands. */
function get(url: string, own?: Certificate, more: ConnectionOptions = {}) {
  const agent = new Agent({ ca: ca.certPem, ...(own && { cert: own.certPem, key: own.keyPem }), ...more });
  return call(url, { agent });
}

/** The code of an empty export over gRPC; 14 when there is no connection. By name: grpc-js takes no address as server name. */
function exportCode(server: ServerProcess, own?: Certificate): Promise<number> {
  const [root, key, cert] = [ca.certPem, own?.keyPem, own?.certPem].map((pem) => (pem ? Buffer.from(pem) : null));
  const grpc = new Client(server.otlpGrpc.replace("127.0.0.1", "localhost"), credentials.createSsl(root, key, cert));
  const same = (bytes: Buffer) => bytes;
  return new Promise((resolve) => {
    const deadline = Date.now() + patientMs(5_000);
    grpc.makeUnaryRequest(GRPC_METHODS.logs, same, same, Buffer.alloc(0), new Metadata(), { deadline }, (error) => {
      grpc.close();
      resolve(error?.code ?? 0);
    });
  });
}

/** The common name of the certificate that an address shows. */
function shownBy(address: string): Promise<string> {
  const [host, port] = address.replace("https://", "").split(":") as [string, string];
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), ca: ca.certPem, ALPNProtocols: ["h2", "http/1.1"] }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

describe("with a certificate", () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await ServerProcess.start({ env });
  });
  afterAll(() => server.dispose());

  test("every address speaks TLS, and the ready line says so", async () => {
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(server.otlpHttp).toMatch(/^https:/);
    expect(await get(`${server.url}/-/ready`)).toMatchObject({ status: 200 });
    expect(await get(`${server.otlpHttp}/v1/logs`)).toMatchObject({ status: 405 });
    expect(await exportCode(server)).toBe(0);
  });

  test("who does not know the CA, or speaks no TLS, gets nowhere and harms nobody", async () => {
    const agent = new Agent({ ca: otherCa.certPem });
    await expect(call(`${server.url}/-/ready`, { agent })).rejects.toThrow(/certificate|signature/);
    for (const address of [server.url, server.otlpHttp, `https://${server.otlpGrpc}`]) {
      await expect(call(address.replace("https:", "http:"))).rejects.toThrow();
    }
    await expect(get(`${server.url}/-/ready`, undefined, { maxVersion: "TLSv1.1" })).rejects.toThrow();
    expect(await get(`${server.url}/-/ready`)).toMatchObject({ status: 200 });
  });

  test("a new certificate is shown without a restart, and a broken one never", async () => {
    const addresses = [server.url, server.otlpHttp, server.otlpGrpc];
    const shown = () => Promise.all(addresses.map(shownBy));
    expect(await shown()).toEqual(["first", "first", "first"]);
    // The certificate without its key, and then rubbish: the old pair stays.
    put("server.crt", second.certPem);
    await eventually(async () => expect(server.stderr).toMatch(/mismatch.*can't be used/), 5_000);
    put("server.crt", "rubbish");
    await eventually(async () => expect(server.stderr).toMatch(/tls\.cert_file.*can't be used/), 5_000);
    expect(await shown()).toEqual(["first", "first", "first"]);
    put("server.crt", second.certPem);
    put("server.key", second.keyPem);
    await eventually(async () => expect(await shown()).toEqual(["second", "second", "second"]), 5_000);
    expect(await exportCode(server)).toBe(0);
    const { text } = await get(`${server.url}/metrics`);
    const expires = Number(
      /^sightline_tls_certificate_expires_timestamp_seconds\{setting="tls.cert_file"\} (\S+)/m.exec(text)?.[1],
    );
    expect(expires * 1000 - Date.now()).toBeGreaterThan(80_000_000);
  });
});

test("with a client CA, only who shows a certificate of it gets in", async () => {
  put("server.crt", first.certPem);
  put("server.key", first.keyPem);
  const caFile = put("clients.crt", ca.certPem);
  const settings = { SIGHTLINE_TLS__CLIENT_CA_FILE: caFile, SIGHTLINE_TLS__MIN_VERSION: "TLSv1.3" };
  const server = await ServerProcess.start({ env: { ...env, ...settings } });
  try {
    for (const url of [`${server.url}/-/ready`, `${server.otlpHttp}/v1/logs`]) {
      expect((await get(url, client)).status).toBeLessThan(500);
      await expect(get(url)).rejects.toThrow();
      await expect(get(url, stranger)).rejects.toThrow();
      await expect(get(url, client, { maxVersion: "TLSv1.2" })).rejects.toThrow(/version/);
    }
    expect(await exportCode(server, client)).toBe(0);
    expect(await exportCode(server)).toBe(14);
    expect(await exportCode(server, stranger)).toBe(14);

    put("clients.crt", otherCa.certPem);
    await eventually(async () => expect((await get(`${server.url}/-/ready`, stranger)).status).toBe(200), 5_000);
    await expect(get(`${server.url}/-/ready`, client)).rejects.toThrow();
  } finally {
    await server.dispose();
  }
});

test.each([
  [
    "a file that is not there",
    { ...env, SIGHTLINE_TLS__CERT_FILE: "/nowhere/a.crt" },
    /tls\.cert_file \/nowhere\/a\.crt/,
  ],
  [
    "a key of another certificate",
    { ...env, SIGHTLINE_TLS__KEY_FILE: put("other.key", client.keyPem) },
    /tls\.key_file.*mismatch/,
  ],
  [
    "a CA file without a certificate",
    { ...env, SIGHTLINE_TLS__CLIENT_CA_FILE: put("empty.crt", "") },
    /tls\.client_ca_file/,
  ],
  ["a certificate without a key", { SIGHTLINE_TLS__CERT_FILE: files.cert }, /tls: set cert_file and key_file together/],
  ["a client CA alone", { SIGHTLINE_TLS__CLIENT_CA_FILE: files.cert }, /tls: client_ca_file needs/],
] as [string, Record<string, string>, RegExp][])("%s is refused at the start", async (_, settings, message) => {
  put("server.crt", first.certPem);
  put("server.key", first.keyPem);
  const addresses = ["listen", "otlp-grpc", "otlp-http"].flatMap((flag) => [`--${flag}`, "127.0.0.1:0"]);
  const { code, stdout, stderr } = await runCommandLine(["--data-dir", join(dir, "data"), ...addresses], settings);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(message);
});
