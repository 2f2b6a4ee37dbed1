import { expect, test } from "vitest";
import { httpConfig } from "./http-config.ts";
import { proxyChoice } from "./proxy-choice.ts";

const choice = (config: object, env: NodeJS.ProcessEnv = {}) => proxyChoice(httpConfig.parse(config), env);
const PROXY = "http://proxy.example:3128";

test("without a proxy there is none", () => expect(choice({})(new URL("http://a.example"))).toBeUndefined());

test("proxy_url alone is for loopback, too", () =>
  expect(choice({ proxy_url: PROXY })(new URL("http://127.0.0.1"))).toBe(PROXY));

test.each([
  ["a.example", "http://a.example/x", true],
  ["a.example", "http://b.a.example/x", true],
  ["a.example", "http://ba.example/x", false],
  [".a.example", "http://a.example/x", false],
  [".a.example", "http://b.a.example/x", true],
  ["*.a.example", "http://b.a.example/x", true],
  ["a.example:8080", "http://a.example/x", false],
  ["a.example:8080", "http://a.example:8080/x", true],
  ["a.example:443", "https://a.example/x", true],
  ["10.0.0.0/8", "http://10.2.3.4/x", true],
  ["10.0.0.0/8", "http://11.2.3.4/x", false],
  ["10.2.3.4", "http://10.2.3.4/x", true],
  ["::1, fd00::/8", "http://[fd00::7]/x", true],
  ["*", "http://a.example/x", true],
  ["b.example", "http://localhost/x", true],
  ["b.example", "http://127.0.0.3/x", true],
])("no_proxy %s: %s is direct: %s", (noProxy, url, isDirect) => {
  const proxy = choice({ proxy_url: PROXY, no_proxy: noProxy })(new URL(url));
  expect(proxy).toBe(isDirect ? undefined : PROXY);
});

test("the environment has one for each scheme", () => {
  const env = { HTTP_PROXY: "proxy.example:1", https_proxy: "http://proxy.example:2", NO_PROXY: "c.example" };
  const chosen = choice({ proxy_from_environment: true }, env);
  expect(chosen(new URL("http://a.example"))).toBe("http://proxy.example:1");
  expect(chosen(new URL("https://a.example"))).toBe("http://proxy.example:2");
  expect(chosen(new URL("https://c.example"))).toBeUndefined();
});
