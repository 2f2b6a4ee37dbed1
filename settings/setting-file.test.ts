import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { tlsOptions } from "./client-tls.ts";
import { readSecret } from "./setting-file.ts";

const dir = mkdtempSync(join(tmpdir(), "sightline-settings-"));
afterAll(() => rmSync(dir, { recursive: true }));

function file(text: string): string {
  const path = join(dir, "file");
  writeFileSync(path, text);
  return path;
}

test.each([
  ["s3cret", "s3cret"],
  ["s3cret\n", "s3cret"],
  ["s3cret\r\n\n", "s3cret"],
  [" two words \n", " two words "],
])("of the file %j the secret is %j", (text, secret) =>
  expect(readSecret(file(text), "redis.password_file")).toBe(secret),
);

test("without a file the secret is empty", () => expect(readSecret("", "redis.password_file")).toBe(""));

test("a file that can't be read is named with its setting", () =>
  expect(() => readSecret(join(dir, "absent"), "redis.password_file")).toThrow(
    /^redis\.password_file: ENOENT.*absent'$/,
  ));

test("only verify refuses a certificate, by the authority of the file", () => {
  expect(tlsOptions({ tls: "off", tls_ca_file: join(dir, "absent") }, "tls_ca_file")).toBeUndefined();
  expect(tlsOptions({ tls: "require", tls_ca_file: "" }, "tls_ca_file")).toEqual({ rejectUnauthorized: false });
  expect(tlsOptions({ tls: "verify", tls_ca_file: file("PEM\n") }, "tls_ca_file")).toEqual({
    rejectUnauthorized: true,
    ca: "PEM\n",
  });
});
