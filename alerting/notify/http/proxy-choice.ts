import { BlockList, isIP } from "node:net";
import type { ProxyConfig } from "./http-config.ts";

/** Which proxy a request goes through: its address, or undefined for none. */
export type ProxyChoice = (target: URL) => string | undefined;

/**
 * As prometheus/common's ProxyConfig chooses: `proxy_url` alone is for all targets; beside `no_proxy`, or from the
 * environment, loopback and localhost are never behind a proxy (golang.org/x/net/http/httpproxy).
 */
export function proxyChoice(config: ProxyConfig, env: NodeJS.ProcessEnv = process.env): ProxyChoice {
  const { proxy_url: proxyUrl, no_proxy: noProxy } = config;
  if (config.proxy_from_environment) {
    const value = (name: string) => env[name.toUpperCase()] || env[name.toLowerCase()] || undefined;
    const proxies = { "http:": withScheme(value("http_proxy")), "https:": withScheme(value("https_proxy")) };
    const isDirect = directTargets(value("no_proxy") ?? "");
    return (target) => (isDirect(target) ? undefined : proxies[target.protocol as keyof typeof proxies]);
  }
  if (!proxyUrl) return () => undefined;
  if (!noProxy) return () => proxyUrl;
  const isDirect = directTargets(noProxy);
  return (target) => (isDirect(target) ? undefined : proxyUrl);
}

function withScheme(proxy: string | undefined): string | undefined {
  return proxy === undefined || /^[a-z0-9]+:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}

/** `no_proxy`: a comma-separated list of `*`, addresses, networks and domains, each with a port or without. */
function directTargets(list: string): (target: URL) => boolean {
  const tests = list
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== "")
    .map(entryTest);
  return (target) => {
    const host = target.hostname.replace(/^\[|\]$/g, "").toLowerCase();
    if (host === "localhost" || host === "::1" || /^127\./.test(host)) return true;
    const port = target.port || (target.protocol === "https:" ? "443" : "80");
    return tests.some((test) => test(host, port));
  };
}

type EntryTest = (host: string, port: string) => boolean;

function entryTest(entry: string): EntryTest {
  if (entry === "*") return () => true;
  const network = /^([^/]+)\/(\d+)$/.exec(entry);
  if (network && isIP(network[1] as string) !== 0) return networkTest(network[1] as string, Number(network[2]));
  const [, name = entry, wantedPort] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? [];
  const bare = name.replace(/^\[|\]$/g, "");
  const isPort = (port: string) => wantedPort === undefined || wantedPort === port;
  if (isIP(bare) !== 0) return (host, port) => host === bare && isPort(port);
  // `.example.com` and `*.example.com` are its subdomains; `example.com` is these and itself.
  const domain = bare.replace(/^\*?\./, "");
  const isItself = bare === domain;
  return (host, port) => isPort(port) && (host.endsWith(`.${domain}`) || (isItself && host === domain));
}

function networkTest(address: string, prefix: number): EntryTest {
  const version = isIP(address);
  if (prefix > (version === 6 ? 128 : 32)) return () => false;
  const blocks = new BlockList();
  blocks.addSubnet(address, prefix, version === 6 ? "ipv6" : "ipv4");
  return (host) => isIP(host) === version && blocks.check(host, version === 6 ? "ipv6" : "ipv4");
}
