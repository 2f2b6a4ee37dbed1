import { expect, test } from "vitest";
import { httpConfig } from "./http-config.ts";

const problemOf = (config: unknown) => httpConfig.safeParse(config).error?.issues[0]?.message ?? "";

test("defaults are those of Prometheus' clients", () =>
  expect(httpConfig.parse({})).toMatchObject({ follow_redirects: true, enable_http2: true }));

test("a bearer token is an authorization", () =>
  expect(httpConfig.parse({ bearer_token: "x" }).authorization).toMatchObject({ type: "Bearer" }));

const OAUTH2 = { client_id: "a", token_url: "http://a.example" };

test.each([
  [{ bearer_token: "a", bearer_token_file: "b" }, "at most one of bearer_token & bearer_token_file must be configured"],
  [
    { basic_auth: {}, bearer_token: "b" },
    "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured",
  ],
  [
    { basic_auth: { username: "a", username_file: "b" } },
    "at most one of basic_auth username, username_file & username_ref must be configured",
  ],
  [
    { basic_auth: { password: "a", password_file: "b" } },
    "at most one of basic_auth password, password_file & password_ref must be configured",
  ],
  [{ authorization: { type: "Basic" } }, 'authorization type cannot be set to "basic", use "basic_auth" instead'],
  [
    { authorization: { credentials: "a", credentials_file: "b" } },
    "at most one of authorization credentials & credentials_file must be configured",
  ],
  [{ authorization: {}, basic_auth: {} }, "at most one of basic_auth, oauth2 & authorization must be configured"],
  [{ authorization: {}, bearer_token: "a" }, "authorization is not compatible with bearer_token & bearer_token_file"],
  [{ oauth2: { token_url: "http://a.example" } }, "oauth2 client_id must be configured"],
  [{ oauth2: { client_id: "a" } }, "oauth2 token_url must be configured"],
  [
    { oauth2: { ...OAUTH2, client_secret: "a", client_secret_file: "b" } },
    "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured using grant-type=client_credentials",
  ],
  [{ oauth2: OAUTH2, basic_auth: {} }, "at most one of basic_auth, oauth2 & authorization must be configured"],
  [{ no_proxy: "a" }, "if no_proxy is configured, proxy_url must also be configured"],
  [
    { proxy_from_environment: true, proxy_url: "http://a.example" },
    "if proxy_from_environment is configured, proxy_url must not be configured",
  ],
  [
    { proxy_connect_header: { a: ["b"] } },
    "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured",
  ],
  [{ http_headers: { "content-type": { values: ["a"] } } }, 'setting header "Content-Type" is not allowed'],
  [{ tls_config: { ca: "a", ca_file: "b" } }, "at most one of ca, ca_file & ca_ref must be configured"],
  [
    { tls_config: { cert_file: "a" } },
    "exactly one of key or key_file must be configured when a client certificate is configured",
  ],
  [
    { tls_config: { key_file: "a" } },
    "exactly one of cert or cert_file must be configured when a client key is configured",
  ],
  [{ tls_config: { min_version: "TLS9" } }, "unknown TLS version: TLS9"],
  [{ unknown: 1 }, 'Unrecognized key: "unknown"'],
])("%j: %s", (config, problem) => expect(problemOf(config)).toBe(problem));
